/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is said of the host below: the tables agree with the catalogue, and each reason with what is
 * known. */

#include <string.h>

#include "catalog.h"
#include "outer-hypervisor.h"

typedef struct Reason {
        const char *fact, *hypervisor, *module, *missing;
        const char *says; /* NULL: nothing */
} Reason;

/* clang-format off */
static const Reason reasons[] = {
        { "on-the-hardware", "", "kvm_intel", "ept", NULL },
        { "a-remark-knows-better", "kvm", "kvm_amd", "svm (the firmware has it off)", NULL },
        { "ept", "kvm", "kvm_intel", "ept", "on the host below kvm_intel.ept is off, or it is masked in this machine's <cpu>" },
        { "one-parameter-for-two", "kvm", "kvm_intel", "vpid, invvpid", "on the host below kvm_intel.vpid is off, or" },
        { "two-parameters", "kvm", "kvm_intel", "ept, ept_ad", "on the host below kvm_intel.ept or kvm_intel.eptad is off, or" },
        { "apicv", "kvm", "kvm_intel", "posted_intr", "on the host below kvm_intel.enable_apicv is off, or" },
        { "what-the-cpu-decides", "kvm", "kvm_intel", "vapic_reg, vid", "the CPU of the host below lacks it, or" },
        { "what-is-always-given", "kvm", "kvm_intel", "shadow_vmcs", "KVM gives it always, so it is masked" },
        { "what-is-never-given", "kvm", "kvm_intel", "ple", "no KVM gives it" },
        { "never-and-more", "kvm", "kvm_amd", "avic, lbrv", "on the host below kvm_amd.lbrv is off" },
        { "the-switch-itself", "kvm", "kvm_amd", "svm", "on the host below kvm_amd.nested is off" },
        { "names-that-differ", "kvm", "kvm_amd", "v_vmsave_vmload", "on the host below kvm_amd.vls is off" },
        { "not-kvm", "vmware", "kvm_intel", "ept", "the host below (VMware) does not give it to this virtual machine" },
        { "nobody-knows", "unknown", "kvm_intel", "ept", "(unknown hypervisor)" },
};
/* clang-format on */

static void test_reason(gconstpointer data) {
        const Reason *reason = data;
        g_autofree char *hypervisor = g_strdup(reason->hypervisor);
        const Cpu cpu = {.level = *hypervisor ? 1 : 0, .hypervisor = hypervisor};
        g_autofree char *said = outer_hypervisor_reason(&cpu, reason->module, reason->missing);

        g_test_message("%s", said ?: "nothing");
        g_assert_cmpint(said != NULL, ==, reason->says != NULL);
        if (said && reason->says)
                g_assert_nonnull(strstr(said, reason->says));
}

/* What the table calls a parameter of the KVM below is one that this KVM has as well. */
static void test_parameters_are_known(void) {
        unsigned n = 0;

        for (unsigned i = 0; i < n_catalog; i++)
                for (const char *const *feature = catalog[i].features; feature && *feature; feature++) {
                        const char *parameter = outer_hypervisor_parameter(catalog[i].module, *feature);
                        g_auto(GStrv) parts = g_strsplit(parameter ?: "", ".", 2);
                        g_test_message("%s: %s", *feature, parameter ?: "none");
                        g_assert_true(!parameter || catalog_find(parts[0], parts[1]));
                        g_assert_false(parameter && outer_hypervisor_is_never_given(catalog[i].module, *feature));
                        g_assert_false(parameter && outer_hypervisor_is_always_given(catalog[i].module, *feature));
                        n += parameter != NULL;
                }
        g_assert_cmpuint(n, >, 15);
        g_assert_cmpstr(outer_hypervisor_parameter("kvm_intel", "svm"), ==, NULL);
}

static void test_platforms(void) {
        g_assert_cmpstr(outer_hypervisor_platform("Amazon EC2", NULL), ==, "Amazon EC2");
        g_assert_cmpstr(outer_hypervisor_platform("Google", "x"), ==, "Google Cloud");
        g_assert_cmpstr(outer_hypervisor_platform("Microsoft Corporation", "7783-7084-3265-9085-8269-3286-77"), ==,
                        "Microsoft Azure");
        g_assert_null(outer_hypervisor_platform("Microsoft Corporation", "1234"));
        g_assert_null(outer_hypervisor_platform("QEMU", NULL));
        g_assert_null(outer_hypervisor_platform(NULL, NULL));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++) {
                g_autofree char *path = g_strconcat("/outer-hypervisor/reason/", reasons[i].fact, NULL);
                g_test_add_data_func(path, &reasons[i], test_reason);
        }
        g_test_add_func("/outer-hypervisor/parameters-are-known", test_parameters_are_known);
        g_test_add_func("/outer-hypervisor/platforms", test_platforms);
        return g_test_run();
}
