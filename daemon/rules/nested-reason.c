/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words for people. Nothing here asks what KVM's modules say. */

#include "nested-reason.h"

static const char *told_of_arm(const Host *host, const char *nested) {
        if (g_str_equal(nested, "on"))
                return "kvm-arm.mode=nested is on the kernel command line, and KVM offers EL2 to guests "
                       "(KVM_CAP_ARM_EL2)";
        if (!host->arm_asked)
                return "on Arm the kernel command line decides: it takes kvm-arm.mode=nested there, a boot, Linux 6.16 "
                       "and a CPU with FEAT_NV2";
        if (g_str_equal(nested, "unknown"))
                return "kvm-arm.mode=nested is on the kernel command line; whether KVM offers EL2 to guests "
                       "(KVM_CAP_ARM_EL2) is known after nestvirtctl check";
        return "kvm-arm.mode=nested is on the kernel command line, but KVM offers no EL2 to guests (KVM_CAP_ARM_EL2): "
               "the CPU has no FEAT_NV2, or the kernel is older than Linux 6.16";
}

bool nested_is_mshv(const Host *host) {
        return host->mshv && !g_str_equal(host_nested(host), "on");
}

char *nested_reason(const Host *host) {
        const char *kind = host->cpu->confidential;
        const Module *vendor = host_vendor_module(host);

        if (host->at_rest)
                return g_strdup("these files are of no host that runs, so that its CPU and its KVM are not known");
        /* kvm_pvm needs nothing of the CPU's. */
        if (*kind && !(vendor && module_is_present(vendor)))
                return g_strdup_printf("this is a confidential virtual machine (%s), %s, so that it has no guests",
                                       kind,
                                       g_str_equal(kind, "TDX") ? "to which TDX gives no VMX"
                                                                : "in which kvm_amd does not load");
        if (nested_is_mshv(host))
                return g_strdup("guests of this host run on Microsoft's hypervisor (/dev/mshv), where nesting is asked "
                                "for per guest, by what starts it (MSHV_PT_BIT_NESTED_VIRTUALIZATION); KVM has no part "
                                "in it");
        if (!host->unknown && host_is_arm(host))
                return g_strdup(told_of_arm(host, host_nested(host)));
        return NULL;
}
