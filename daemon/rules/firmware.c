/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The firmware's switch: what the sources prove about it. It reads nothing. */

#include "catalog.h"
#include "cpu-bits.h"
#include "firmware.h"

#define FEAT_CTL_LOCKED (1U << 0)
#define FEAT_CTL_VMX (1U << 2)
#define VM_CR_SVMDIS (1U << 4)

const char *firmware_to_string(Firmware firmware) {
        static const char *const names[FIRMWARE_MAX] = {"unknown", "none", "off", "on"};

        return names[firmware];
}

static const CpuMsr *find_register(const Cpu *cpu) {
        if (!*cpu->vendor)
                return NULL;
        return msr_find(cpu->facts->msr, g_str_equal(cpu->vendor, "intel") ? MSR_FEAT_CTL : MSR_VM_CR);
}

/* Not locked is as good as on: the kernel then switches VMX on itself. */
static bool is_off(const CpuMsr *msr) {
        return msr->address == MSR_VM_CR ? msr->value & VM_CR_SVMDIS
                                         : (msr->value & FEAT_CTL_LOCKED) && !(msr->value & FEAT_CTL_VMX);
}

bool firmware_is_open(const Cpu *cpu) {
        const CpuMsr *msr = find_register(cpu);

        return msr && !is_off(msr);
}

static char *describe_register(const Cpu *cpu) {
        const CpuMsr *msr = find_register(cpu);

        return msr ? g_strdup_printf("MSR 0x%x is 0x%" G_GINT64_MODIFIER "x", msr->address, msr->value) : NULL;
}

/* CPUID has what the kernel does not show, and nothing but the firmware explains that. In a
 * paravirtualized guest of Xen the instruction is answered by the hardware, not by the
 * hypervisor. */
static bool only_firmware_explains(const Cpu *cpu) {
        const Answer below = cpuid_ask(cpu->facts->cpuid, cpu_bit_find(cpuid_bits, "hypervisor"));

        return !cpu->flags_cleared && !firmware_is_open(cpu) && (below == ANSWER_YES) == (cpu->level > 0) &&
               !g_str_equal(cpu->hypervisor, "xen") && !cpu->xen_control;
}

static Firmware judge_off(const Cpu *cpu, const char *base, char **ret_evidence) {
        const Answer has = cpuid_ask(cpu->facts->cpuid, cpu_bit_find(cpuid_bits, base));
        const CpuMsr *msr = find_register(cpu);
        g_autofree char *set = describe_register(cpu);

        if (has == ANSWER_NO && !cpu_has(cpu, base))
                return FIRMWARE_NONE;
        if (msr && is_off(msr) && (has == ANSWER_YES || cpu_has(cpu, base))) {
                *ret_evidence = g_strdup_printf("%s has %s, but %s", has == ANSWER_YES ? "CPUID" : "/proc/cpuinfo",
                                                base, set);
                return FIRMWARE_OFF;
        }
        if (has != ANSWER_YES || cpu_has(cpu, base) || !only_firmware_explains(cpu))
                return FIRMWARE_UNKNOWN;
        *ret_evidence = g_strdup_printf("CPUID has %s, but the kernel has not", base);
        return FIRMWARE_OFF;
}

/* The flag alone proves it only where the kernel takes it away otherwise. */
static char *prove_on(const Host *host, const char *base) {
        const bool clears = g_str_equal(base, "vmx") ? host->cpu->has_vmx_flags
                                                     : catalog_release_reaches(host->release, 6, 7);

        if (firmware_is_open(host->cpu))
                return describe_register(host->cpu);
        return clears ? g_strdup_printf("/proc/cpuinfo has %s", base) : NULL;
}

Firmware firmware_judge(const Host *host, char **ret_evidence) {
        const char *base = catalog_base_feature(catalog_vendor_module(host->cpu->vendor));
        g_autofree char *evidence = NULL;
        Firmware verdict = base ? judge_off(host->cpu, base, &evidence) : FIRMWARE_UNKNOWN;

        if (base && verdict == FIRMWARE_UNKNOWN && cpu_has(host->cpu, base)) {
                evidence = prove_on(host, base);
                verdict = evidence ? FIRMWARE_ON : FIRMWARE_UNKNOWN;
        }
        if (ret_evidence)
                *ret_evidence = g_steal_pointer(&evidence);
        return verdict;
}
