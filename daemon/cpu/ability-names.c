/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of names. It judges nothing. */

#include "ability-names.h"

#define BASIC (ABILITY_MSR + 0x00)
#define MISC (ABILITY_MSR + 0x05)
#define PROC2 (ABILITY_MSR + 0x0b)
#define EPT_VPID (ABILITY_MSR + 0x0c)
#define PIN (ABILITY_MSR + 0x0d)
#define PROC (ABILITY_MSR + 0x0e)
#define EXIT (ABILITY_MSR + 0x0f)
#define ENTRY (ABILITY_MSR + 0x10)
#define VMFUNC (ABILITY_MSR + 0x11)
#define SVM ABILITY_SVM_EDX

/* Bit n of a control is bit 32 + n of its register. */
/* clang-format off */
static const struct {
        AbilityKey key;
        unsigned bit;
        const char *name;
} features[] = {
        {ABILITY_SVM, 0, "svm"}, {ABILITY_VMX, 0, "vmx"},

        {SVM, 0, "npt"}, {SVM, 1, "lbrv"}, {SVM, 2, "svm-lock"}, {SVM, 3, "nrip-save"}, {SVM, 4, "tsc-scale"},
        {SVM, 5, "vmcb-clean"}, {SVM, 6, "flushbyasid"}, {SVM, 7, "decodeassists"}, {SVM, 10, "pause-filter"},
        {SVM, 12, "pfthreshold"}, {SVM, 13, "avic"}, {SVM, 15, "v-vmsave-vmload"}, {SVM, 16, "vgif"},
        {SVM, 25, "vnmi"}, {SVM, 28, "svme-addr-chk"},

        {BASIC, 54, "vmx-ins-outs"}, {BASIC, 55, "vmx-true-ctls"}, {BASIC, 56, "vmx-any-errcode"},
        {BASIC, 58, "vmx-nested-exception"},

        {MISC, 5, "vmx-store-lma"}, {MISC, 6, "vmx-activity-hlt"}, {MISC, 7, "vmx-activity-shutdown"},
        {MISC, 8, "vmx-activity-wait-sipi"}, {MISC, 29, "vmx-vmwrite-vmexit-fields"},
        {MISC, 30, "vmx-zero-len-inject"},

        {PROC2, 32, "vmx-apicv-xapic"}, {PROC2, 33, "vmx-ept"}, {PROC2, 34, "vmx-desc-exit"},
        {PROC2, 35, "vmx-rdtscp-exit"}, {PROC2, 36, "vmx-apicv-x2apic"}, {PROC2, 37, "vmx-vpid"},
        {PROC2, 38, "vmx-wbinvd-exit"}, {PROC2, 39, "vmx-unrestricted-guest"}, {PROC2, 40, "vmx-apicv-register"},
        {PROC2, 41, "vmx-apicv-vid"}, {PROC2, 42, "vmx-ple"}, {PROC2, 43, "vmx-rdrand-exit"},
        {PROC2, 44, "vmx-invpcid-exit"}, {PROC2, 45, "vmx-vmfunc"}, {PROC2, 46, "vmx-shadow-vmcs"},
        {PROC2, 47, "vmx-encls-exit"}, {PROC2, 48, "vmx-rdseed-exit"}, {PROC2, 49, "vmx-pml"},
        {PROC2, 52, "vmx-xsaves"}, {PROC2, 57, "vmx-tsc-scaling"}, {PROC2, 58, "vmx-enable-user-wait-pause"},

        {EPT_VPID, 0, "vmx-ept-execonly"}, {EPT_VPID, 6, "vmx-page-walk-4"}, {EPT_VPID, 7, "vmx-page-walk-5"},
        {EPT_VPID, 16, "vmx-ept-2mb"}, {EPT_VPID, 17, "vmx-ept-1gb"}, {EPT_VPID, 20, "vmx-invept"},
        {EPT_VPID, 21, "vmx-eptad"}, {EPT_VPID, 22, "vmx-ept-advanced-exitinfo"},
        {EPT_VPID, 25, "vmx-invept-single-context"}, {EPT_VPID, 26, "vmx-invept-all-context"},
        {EPT_VPID, 32, "vmx-invvpid"}, {EPT_VPID, 40, "vmx-invvpid-single-addr"},
        {EPT_VPID, 41, "vmx-invept-single-context"}, {EPT_VPID, 42, "vmx-invvpid-all-context"},
        {EPT_VPID, 43, "vmx-invept-single-context-noglobals"},

        {PIN, 32, "vmx-intr-exit"}, {PIN, 35, "vmx-nmi-exit"}, {PIN, 37, "vmx-vnmi"},
        {PIN, 38, "vmx-preemption-timer"}, {PIN, 39, "vmx-posted-intr"},

        {PROC, 34, "vmx-vintr-pending"}, {PROC, 35, "vmx-tsc-offset"}, {PROC, 39, "vmx-hlt-exit"},
        {PROC, 41, "vmx-invlpg-exit"}, {PROC, 42, "vmx-mwait-exit"}, {PROC, 43, "vmx-rdpmc-exit"},
        {PROC, 44, "vmx-rdtsc-exit"}, {PROC, 47, "vmx-cr3-load-noexit"}, {PROC, 48, "vmx-cr3-store-noexit"},
        {PROC, 51, "vmx-cr8-load-exit"}, {PROC, 52, "vmx-cr8-store-exit"}, {PROC, 53, "vmx-flexpriority"},
        {PROC, 54, "vmx-vnmi-pending"}, {PROC, 55, "vmx-movdr-exit"}, {PROC, 56, "vmx-io-exit"},
        {PROC, 57, "vmx-io-bitmap"}, {PROC, 59, "vmx-mtf"}, {PROC, 60, "vmx-msr-bitmap"},
        {PROC, 61, "vmx-monitor-exit"}, {PROC, 62, "vmx-pause-exit"}, {PROC, 63, "vmx-secondary-ctls"},

        {EXIT, 34, "vmx-exit-nosave-debugctl"}, {EXIT, 44, "vmx-exit-load-perf-global-ctrl"},
        {EXIT, 47, "vmx-exit-ack-intr"}, {EXIT, 50, "vmx-exit-save-pat"}, {EXIT, 51, "vmx-exit-load-pat"},
        {EXIT, 52, "vmx-exit-save-efer"}, {EXIT, 53, "vmx-exit-load-efer"},
        {EXIT, 54, "vmx-exit-save-preemption-timer"}, {EXIT, 55, "vmx-exit-clear-bndcfgs"},
        {EXIT, 57, "vmx-exit-clear-rtit-ctl"}, {EXIT, 61, "vmx-exit-load-pkrs"},
        {EXIT, 63, "vmx-exit-secondary-ctls"},

        {ENTRY, 34, "vmx-entry-noload-debugctl"}, {ENTRY, 41, "vmx-entry-ia32e-mode"},
        {ENTRY, 45, "vmx-entry-load-perf-global-ctrl"}, {ENTRY, 46, "vmx-entry-load-pat"},
        {ENTRY, 47, "vmx-entry-load-efer"}, {ENTRY, 48, "vmx-entry-load-bndcfgs"},
        {ENTRY, 50, "vmx-entry-load-rtit-ctl"}, {ENTRY, 54, "vmx-entry-load-pkrs"},
        {ENTRY, 55, "vmx-entry-load-fred"},

        {VMFUNC, 0, "vmx-eptp-switching"},
};
/* clang-format on */

char *ability_feature(AbilityKey key, unsigned bit) {
        for (gsize i = 0; i < G_N_ELEMENTS(features); i++)
                if (features[i].key == key && features[i].bit == bit)
                        return g_strdup(features[i].name);
        return g_strdup_printf("%s bit %u", ability_name(key), bit);
}

bool ability_has_name(const char *name) {
        for (gsize i = 0; i < G_N_ELEMENTS(features); i++)
                if (g_str_equal(features[i].name, name))
                        return true;
        return false;
}

static int compare(gconstpointer a, gconstpointer b) {
        return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

GStrv ability_features(const Ability *ability) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);

        for (gsize i = 0; i < G_N_ELEMENTS(features); i++)
                if (ability->known[features[i].key] && ability->value[features[i].key] >> features[i].bit & 1)
                        g_ptr_array_add(found, g_strdup(features[i].name));
        g_ptr_array_sort(found, compare);
        for (unsigned i = 1; i < found->len; i++)
                while (i < found->len && g_str_equal(g_ptr_array_index(found, i - 1), g_ptr_array_index(found, i)))
                        g_ptr_array_remove_index(found, i);
        g_ptr_array_add(found, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&found), FALSE);
}
