/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a reset comes to: the kernel takes a default back that the CPU can't do, or that needs
 * something that is off. */

#include <string.h>

#include "load-options.h"
#include "made-host.h"

#define SID "7.2.4-cloud-amd64"
#define HASWELL "ept vpid invvpid ept_ad pml"
#define SKYLAKE HASWELL " vapic_reg vid posted_intr"
#define INTEL(flags_of_vmx) .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = (flags_of_vmx)

typedef struct Row {
        const char *fact;
        MadeHost made;
        const char *reset;    /* of what, separated by spaces */
        const char *comes_to; /* likewise; "?" where it can't be told */
} Row;

/* clang-format off */
static const Row rows[] = {
        { "the CPU can't", { .loaded = "kvm_amd.vgif=0 kvm_amd.nested=0", .ours = "options kvm_amd vgif=0 nested=0\n" },
          "kvm_amd.vgif kvm_amd.nested", "0 1" },
        { "the CPU can", { .flags = "svm npt vgif", .loaded = "kvm_amd.vgif=0", .ours = "options kvm_amd vgif=0\n" },
          "kvm_amd.vgif", "1" },
        { "somebody else asks for what the CPU can't do", { .loaded = "kvm_amd.vgif=0", .ours = "options kvm_amd vgif=0\n",
          .modprobe = "options kvm_amd vgif=1\n" }, "kvm_amd.vgif", "0" },
        { "what is on is believed", { .loaded = "kvm_amd.vgif=1", .ours = "options kvm_amd vgif=1\n" }, "kvm_amd.vgif", "1" },
        { "auto is off where the CPU can't", { .release = SID, .loaded = "kvm_amd.avic=N", .ours = "options kvm_amd avic=0\n" },
          "kvm_amd.avic", "0" },
        { "auto may be anything where the CPU can", { .release = SID, .flags = "svm npt avic", .loaded = "kvm_amd.avic=N",
          .ours = "options kvm_amd avic=0\n" }, "kvm_amd.avic", "auto" },

        { "what it needs stays off", { INTEL(SKYLAKE), .loaded = "kvm_intel.ept=N kvm_intel.eptad=N kvm_intel.pml=N",
          .modprobe = "options kvm_intel ept=0\n", .ours = "options kvm_intel pml=0\n" }, "kvm_intel.pml", "0" },
        { "what it needs stays on", { INTEL(SKYLAKE), .loaded = "kvm_intel.ept=Y kvm_intel.eptad=Y kvm_intel.pml=N",
          .ours = "options kvm_intel pml=0\n" }, "kvm_intel.pml", "1" },
        { "what it needs comes back, and so does what is between them", { INTEL(SKYLAKE),
          .loaded = "kvm_intel.ept=N kvm_intel.eptad=N kvm_intel.pml=N", .ours = "options kvm_intel ept=0 pml=0\n" },
          "kvm_intel.pml kvm_intel.ept", "1 1" },
        { "what it needs goes off", { INTEL(SKYLAKE), .loaded = "kvm_intel.ept=Y kvm_intel.eptad=Y kvm_intel.pml=Y",
          .modprobe = "options kvm_intel ept=0\n", .ours = "options kvm_intel ept=1 pml=1\n" },
          "kvm_intel.ept kvm_intel.pml", "0 0" },
        { "the CPU can't do what it needs", { INTEL(HASWELL), .release = SID,
          .loaded = "kvm_intel.enable_apicv=N kvm_intel.enable_device_posted_irqs=N",
          .ours = "options kvm_intel enable_apicv=0 enable_device_posted_irqs=0\n" },
          "kvm_intel.enable_apicv kvm_intel.enable_device_posted_irqs", "0 0" },
        { "what it needs is off by default", { .release = "6.17.0", .flags = "svm npt avic",
          .loaded = "kvm_amd.avic=N kvm_amd.enable_ipiv=N", .ours = "options kvm_amd enable_ipiv=0\n" }, "kvm_amd.enable_ipiv", "0" },
        { "what it needs is the kernel's choice", { .release = SID, .flags = "svm npt avic",
          .loaded = "kvm_amd.avic=N kvm_amd.enable_ipiv=N", .ours = "options kvm_amd enable_ipiv=0\n" }, "kvm_amd.enable_ipiv", "?" },
        { "what it needs is off by hand", { INTEL(SKYLAKE), .loaded = "kvm_intel.ept=Y kvm_intel.eptad=N kvm_intel.pml=N",
          .ours = "options kvm_intel pml=0\n" }, "kvm_intel.pml", "?" },
        { "of this kernel it needs nothing", { INTEL(SKYLAKE), .loaded = "kvm_intel.pml=N", .ours = "options kvm_intel pml=0\n" },
          "kvm_intel.pml", "1" },
};
/* clang-format on */

typedef struct LoadRow {
        const char *fact;
        MadeHost made;
        const char *set; /* "kvm_amd.nested=0" */
        const char *after, *kept;
} LoadRow;

#define SID_AMD .release = SID, .flags = "svm npt avic"
#define IN_KVM(value) \
        "kvm_amd.enable_ipiv=" value " kvm_amd.enable_device_posted_irqs=" value " kvm_amd.enable_mediated_pmu=N"

/* clang-format off */
static const LoadRow loads[] = {
        { "what nobody asks for is left to the kernel", { SID_AMD, .loaded = "kvm_amd.nested=1 kvm_amd.avic=Y " IN_KVM("Y") },
          "kvm_amd.nested=0", "nested=0", "" },
        { "what is configured is passed", { SID_AMD, .loaded = "kvm_amd.nested=1 kvm_amd.avic=Y " IN_KVM("Y"),
          .modprobe = "options kvm_amd enable_ipiv=0 npt=1\n" }, "kvm_amd.nested=0", "enable_ipiv=0 nested=0 npt=1", "" },
        { "what the CPU can't is as it was", { .release = SID, .loaded = "kvm_amd.nested=1 kvm_amd.avic=N " IN_KVM("N") },
          "kvm_amd.nested=0", "nested=0", "" },
        { "off with avic, which comes back", { SID_AMD, .loaded = "kvm_amd.avic=N " IN_KVM("N") }, "kvm_amd.avic=1", "avic=1",
          "enable_device_posted_irqs=1 enable_ipiv=1" },
        { "off by an earlier load", { SID_AMD, .loaded = "kvm_amd.nested=1 kvm_amd.avic=Y " IN_KVM("N") }, "kvm_amd.nested=0",
          "nested=0", "enable_device_posted_irqs=1 enable_ipiv=1" },
        { "on by an earlier load", { INTEL(HASWELL), .release = SID, .loaded = "kvm_intel.nested=Y kvm_intel.enable_mediated_pmu=Y" },
          "kvm_intel.nested=0", "nested=0", "enable_mediated_pmu=0" },
        { "apicv off by an earlier load", { INTEL(SKYLAKE), .loaded = "kvm_intel.nested=Y kvm_intel.enable_apicv=N" },
          "kvm_intel.nested=0", "nested=0", "enable_apicv=1" },
        { "what can't be seen", { SID_AMD, .loaded = "kvm.", .loadable = "kvm_amd.nested kvm_amd.enable_ipiv" }, "kvm_amd.nested=0",
          "nested=0", "enable_ipiv=1" },
};
/* clang-format on */

static void test_load(gconstpointer data) {
        const LoadRow *row = data;
        g_autoptr(Host) host = made_host(&row->made);
        g_autoptr(Request) request = request_new(0);
        g_auto(GStrv) words = g_strsplit_set(row->set, ".=", 3);
        g_autoptr(GError) error = NULL;

        g_test_message("%s", row->fact);
        g_assert_true(request_set(request, host, words[0], words[1], words[2], &error));
        g_assert_no_error(error);
        g_autofree char *after = load_options_after(host, request, host_module(host, words[0]));
        g_autofree char *kept = load_options_kept(host, request, host_module(host, words[0]));
        g_assert_cmpstr(after, ==, row->after);
        g_assert_cmpstr(kept, ==, row->kept);
        g_autofree char *both = load_options_join(after, kept), *same = load_options_join("", kept);
        g_assert_true(*kept ? strstr(both, " ") != NULL : g_str_equal(both, after));
        g_assert_cmpstr(same, ==, kept);
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(Host) host = made_host(&row->made);
        g_autoptr(Request) request = request_new(0);
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) words = g_strsplit(row->reset, " ", -1), results = g_strsplit(row->comes_to, " ", -1);

        g_test_message("%s", row->fact);
        for (char **word = words; *word; word++) {
                g_auto(GStrv) names = g_strsplit(*word, ".", 2);
                g_assert_true(request_reset(request, host, names[0], names[1], &error));
                g_assert_no_error(error);
        }
        for (unsigned i = 0; i < request->settings->len; i++) {
                g_autofree char *result = load_options_result(host, request, g_ptr_array_index(request->settings, i));
                g_assert_cmpstr(*result ? result : "?", ==, results[i]);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/load-options/%u", i);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(loads); i++) {
                g_autofree char *path = g_strdup_printf("/load-options/of-a-load/%u", i);
                g_test_add_data_func(path, &loads[i], test_load);
        }
        return g_test_run();
}
