/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads what the kernel and the CPU show of it, which differs from kind to kind. */

#include "confidential.h"

#define LEAF_ENCRYPTION 0x8000001fU /* EAX: bit 1 SEV, 3 SEV-ES, 4 SEV-SNP */
#define MSR_SEV_STATUS 0xc0010131U  /* what is active: bit 0 SEV, 1 SEV-ES, 2 SEV-SNP */

static const char *name_kind(guint64 bits, unsigned sev, unsigned es, unsigned snp) {
        return (bits >> snp & 1) != 0   ? "SEV-SNP"
               : (bits >> es & 1) != 0  ? "SEV-ES"
               : (bits >> sev & 1) != 0 ? "SEV"
                                        : "";
}

/* The folder is there in a guest of SEV-SNP alone (Linux 6.11, sysfs-devices-system-cpu), and so is
 * the device (5.19, drivers/virt/coco). */
static bool is_snp(const Root *root) {
        return root_exists(root, "sys/devices/system/cpu/sev/vmpl") || root_exists(root, "sys/class/misc/sev-guest");
}

/* The register is for who has it, while the module msr is loaded. The leaf alone is QEMU's word for
 * its guests of SEV (target/i386/cpu.c); others hand through what the host has, but in their guests
 * kvm_amd loads. */
static const char *ask_amd(const Root *root, const CpuFacts *facts) {
        const CpuMsr *status = msr_find(facts->msr, MSR_SEV_STATUS);
        const CpuidLeaf *leaf = cpuid_find(facts->cpuid, LEAF_ENCRYPTION);

        if (is_snp(root))
                return "SEV-SNP";
        if (status)
                return name_kind(status->value, 0, 1, 2);
        return leaf && !root_exists(root, "sys/module/kvm_amd") ? name_kind(leaf->registers[CPU_EAX], 1, 3, 4) : "";
}

const char *confidential_read(const Root *root, const Cpuinfo *info, const CpuFacts *facts) {
        if (!info->flags || !cpuinfo_has_word(info->flags, "hypervisor"))
                return "";
        /* arch/x86/include/asm/cpufeatures.h, X86_FEATURE_TDX_GUEST, Linux 5.19. */
        if (cpuinfo_has_word(info->flags, "tdx_guest"))
                return "TDX";
        return ask_amd(root, facts);
}
