/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tables of bits, and how to look them up. It reads nothing. */

#include "cpu-bits.h"

#define MSR_PIN 0x481U
#define MSR_PROC 0x482U
#define MSR_MISC 0x485U
#define MSR_PROC2 0x48bU
#define MSR_EPT_VPID 0x48cU
#define MSR_PROC3 0x492U

/* The bits of the high half of MSR_PROC that say whether MSR_PROC2 and MSR_PROC3 are there. */
#define GATE_PROC2 63U
#define GATE_PROC3 49U

#define SVM 0x8000000aU

/* clang-format off */
const CpuBit cpuid_bits[] = {
        {"vmx",             1,           CPU_ECX, 5},
        {"hypervisor",      1,           CPU_ECX, 31},
        {"svm",             0x80000001U, CPU_ECX, 2},
        {"npt",             SVM, CPU_EDX, 0,  .may_lack = true},
        {"lbrv",            SVM, CPU_EDX, 1,  .may_lack = true},
        {"svm_lock",        SVM, CPU_EDX, 2,  .may_lack = true},
        {"nrip_save",       SVM, CPU_EDX, 3,  .may_lack = true},
        {"tsc_scale",       SVM, CPU_EDX, 4,  .may_lack = true},
        {"vmcb_clean",      SVM, CPU_EDX, 5,  .may_lack = true},
        {"flushbyasid",     SVM, CPU_EDX, 6,  .may_lack = true},
        {"decodeassists",   SVM, CPU_EDX, 7,  .may_lack = true},
        {"pausefilter",     SVM, CPU_EDX, 10, .may_lack = true},
        {"pfthreshold",     SVM, CPU_EDX, 12, .may_lack = true},
        {"avic",            SVM, CPU_EDX, 13, .may_lack = true},
        {"v_vmsave_vmload", SVM, CPU_EDX, 15, .may_lack = true},
        {"vgif",            SVM, CPU_EDX, 16, .may_lack = true},
        {"x2avic",          SVM, CPU_EDX, 18, .may_lack = true},
        {"v_spec_ctrl",     SVM, CPU_EDX, 20, .may_lack = true},
        {"vnmi",            SVM, CPU_EDX, 25, .may_lack = true},
        {NULL},
};

/* Bit n of a control is bit 32 + n of its register, but for EPT_VPID and PROC3. Without
 * eptp_switching: the kernel looks for it in the wrong half of its register
 * (rdmsr_safe(MSR_IA32_VMX_VMFUNC, &ign, &funcs)), and never prints it. */
const CpuBit vmx_bits[] = {
        {"vnmi",                MSR_PIN,      .bit = 37},
        {"preemption_timer",    MSR_PIN,      .bit = 38},
        {"posted_intr",         MSR_PIN,      .bit = 39},
        {"tsc_offset",          MSR_PROC,     .bit = 35},
        {"vtpr",                MSR_PROC,     .bit = 53},
        {"mtf",                 MSR_PROC,     .bit = 59},
        {"vapic",               MSR_PROC2,    .bit = 32, .gate = GATE_PROC2},
        {"ept",                 MSR_PROC2,    .bit = 33, .gate = GATE_PROC2},
        {"vpid",                MSR_PROC2,    .bit = 37, .gate = GATE_PROC2},
        {"unrestricted_guest",  MSR_PROC2,    .bit = 39, .gate = GATE_PROC2},
        {"vapic_reg",           MSR_PROC2,    .bit = 40, .gate = GATE_PROC2},
        {"vid",                 MSR_PROC2,    .bit = 41, .gate = GATE_PROC2},
        {"ple",                 MSR_PROC2,    .bit = 42, .gate = GATE_PROC2},
        {"shadow_vmcs",         MSR_PROC2,    .bit = 46, .gate = GATE_PROC2},
        {"pml",                 MSR_PROC2,    .bit = 49, .gate = GATE_PROC2},
        {"ept_mode_based_exec", MSR_PROC2,    .bit = 54, .gate = GATE_PROC2},
        {"tsc_scaling",         MSR_PROC2,    .bit = 57, .gate = GATE_PROC2},
        {"usr_wait_pause",      MSR_PROC2,    .bit = 58, .gate = GATE_PROC2, .may_lack = true},
        {"notify_vm_exiting",   MSR_PROC2,    .bit = 63, .gate = GATE_PROC2, .may_lack = true},
        {"ept_x_only",          MSR_EPT_VPID, .bit = 0},
        {"ept_1gb",             MSR_EPT_VPID, .bit = 17},
        {"ept_ad",              MSR_EPT_VPID, .bit = 21},
        {"invvpid",             MSR_EPT_VPID, .bit = 32},
        {"ipi_virt",            MSR_PROC3,    .bit = 4,  .gate = GATE_PROC3, .may_lack = true},
        {NULL},
};

/* What vmx_hardware_setup() and nested_vmx_hardware_setup() look at beyond the flags: one of the
 * bits in @any must be set. */
static const struct {
        const char *parameter;
        guint32 msr;
        guint64 any;
        const char *what;
} wants[] = {
        {"enable_shadow_vmcs", MSR_MISC, 1ULL << 29, "VMWRITE to every field (MSR 0x485 bit 29)"},
        {"ept", MSR_EPT_VPID, 1ULL << 6, "EPT walks of four levels (MSR 0x48c bit 6)"},
        {"ept", MSR_EPT_VPID, 1ULL << 14, "EPT in write-back memory (MSR 0x48c bit 14)"},
        {"ept", MSR_EPT_VPID, 1ULL << 26, "INVEPT of all contexts (MSR 0x48c bit 26)"},
        {"vpid", MSR_EPT_VPID, 1ULL << 32, "INVVPID (MSR 0x48c bit 32)"},
        {"vpid", MSR_EPT_VPID, 1ULL << 41 | 1ULL << 42, "INVVPID of one or of all contexts (MSR 0x48c bits 41 and 42)"},
};
/* clang-format on */

/* Flags that stand for several together. */
static const struct {
        const char *flag;
        const char *parts[5];
} aggregates[] = {
                {"flexpriority", {"vtpr", "vapic"}},
                {"apicv", {"vtpr", "vapic_reg", "vid", "posted_intr"}},
                {"tpr_shadow", {"vtpr"}},
};

const CpuBit *cpu_bit_find(const CpuBit *bits, const char *flag) {
        for (; bits->flag; bits++)
                if (g_str_equal(bits->flag, flag))
                        return bits;
        return NULL;
}

static Answer answer(guint64 value, unsigned bit) {
        return value >> bit & 1 ? ANSWER_YES : ANSWER_NO;
}

Answer cpuid_ask(const GArray *leaves, const CpuBit *bit) {
        const CpuidLeaf *leaf = cpuid_find(leaves, bit->where);

        return leaf ? answer(leaf->registers[bit->reg], bit->bit) : ANSWER_UNKNOWN;
}

Answer vmx_ask(const GArray *msrs, const CpuBit *bit) {
        const CpuMsr *msr = msr_find(msrs, bit->where), *proc = msr_find(msrs, MSR_PROC);

        if (bit->gate > 0 && proc && answer(proc->value, bit->gate) == ANSWER_NO)
                return ANSWER_NO;
        return msr ? answer(msr->value, bit->bit) : ANSWER_UNKNOWN;
}

static Answer ask_registers(const Cpu *cpu, const char *flag) {
        const CpuBit *bit = cpu_bit_find(vmx_bits, flag);
        Answer all = ANSWER_YES;

        if (bit)
                return vmx_ask(cpu->facts->msr, bit);
        for (unsigned i = 0; i < G_N_ELEMENTS(aggregates); i++) {
                if (!g_str_equal(aggregates[i].flag, flag))
                        continue;
                for (const char *const *part = aggregates[i].parts; *part; part++)
                        all = MIN(all, vmx_ask(cpu->facts->msr, cpu_bit_find(vmx_bits, *part)));
                return all;
        }
        return ANSWER_UNKNOWN;
}

Answer cpu_can(const Cpu *cpu, const char *flag) {
        if (cpu_has(cpu, flag))
                return ANSWER_YES;
        if (!*cpu->vendor)
                return ANSWER_UNKNOWN;
        if (g_str_equal(cpu->vendor, "intel") && !g_str_equal(flag, "vmx") && !cpu->has_vmx_flags)
                return ask_registers(cpu, flag);
        return ANSWER_NO;
}

const char *cpu_lacks(const Cpu *cpu, const char *parameter) {
        for (unsigned i = 0; g_str_equal(cpu->vendor, "intel") && i < G_N_ELEMENTS(wants); i++) {
                const CpuMsr *msr = msr_find(cpu->facts->msr, wants[i].msr);
                if (msr && g_str_equal(wants[i].parameter, parameter) && (msr->value & wants[i].any) == 0)
                        return wants[i].what;
        }
        return NULL;
}
