/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about a host as a whole, and that a healthy one has nothing to worry about. */

#include <string.h>

#include "check-row.h"

/* clang-format off */
static const CheckRow rows[] = {
        { "nothing is said when nothing failed", { AMD_LOADED }, .id = "degraded" },
        { "a change could not be undone", { AMD_LOADED, .degraded = true }, .id = "degraded", "fail", "kvm_amd is live now",
          "systemctl restart nestvirtd.service" },
        { "a change could not be undone and KVM is gone", { AMD_LOADABLE, .degraded = true }, .id = "degraded", "fail",
          "kvm_amd is loadable now", "modprobe kvm_amd" },

        { "a journal that nobody understands", { AMD_LOADED, .bad_journal = true }, .id = "degraded", "fail", "can't be understood",
          "rm /var/lib/nestvirt/change" },

        { "on the hardware", { AMD_LOADED }, .id = "level", "info", "not a virtual machine", NULL },
        { "a virtual machine", { AMD_LOADED, .flags = "svm npt hypervisor" }, .id = "level", "info", "itself a virtual machine", NULL },

        { "a CPU that can", { AMD_LOADED }, .id = "cpu", "pass", "The CPU has svm", NULL },
        { "a CPU that can't is no failure", { .vendor = "GenuineIntel", .flags = "sse2" }, .id = "cpu", "info",
          "The CPU lacks vmx, or the firmware has it switched off", NULL },
        { "a CPU that can't inside a virtual machine", { .flags = "hypervisor" }, .id = "cpu", "info",
          "The CPU lacks svm: the hypervisor below (unknown) does not give it", NULL },
        { "a CPU that can't though it should", { .flags = "sse2", .modprobe = "options kvm_amd nested=1\n" }, .id = "cpu", "fail",
          "nested=1 is asked for by /etc/modprobe.d/admin.conf:1", NULL },
        { "off by wish on a CPU that can't", { .flags = "sse2", .modprobe = "options kvm_amd nested=0\n" }, .id = "cpu", "info",
          "lacks svm", NULL },
        { "a line for the other vendor asks for nothing", { .flags = "sse2", .modprobe = "options kvm_intel nested=1\n" },
          .id = "cpu", "info", "lacks svm", NULL },
        { "another architecture", { .vendor = "" }, .id = "cpu", "info", "none that nestvirtd knows", NULL },

        { "what the CPU lacks", { .loaded = "kvm_amd.nested=1 kvm_amd.avic=N kvm_amd.vgif=0" }, .id = "cpu-features", "info",
          "lacks: avic, vgif", NULL },
        { "a CPU that has all of it", { AMD_LOADED }, .id = "cpu-features", "pass", "has all", NULL },
        { "a kernel that does not tell", { .vendor = "GenuineIntel", .flags = "vmx", .loaded = "kvm_intel.ept=Y" },
          .id = "cpu-features", "info", "does not print", NULL },
        { "a CPU that can't has no features", { .flags = "sse2" }, .id = "cpu-features" },

        { "kvm is loaded", { AMD_LOADED }, .id = "kvm", "pass", "kvm is loaded", NULL },
        { "kvm is built in", { .builtin = "kvm. kvm_amd.nested=1" }, .id = "kvm", "pass", "kvm is built into the kernel", NULL },
        { "kvm is not loaded and no vendor is known", { .vendor = "" }, .id = "kvm", "info", "not loaded", NULL },

        { "the module is loaded", { AMD_LOADED }, .id = "vendor-module", "pass", "kvm_amd is loaded", NULL },
        { "not loaded though it could", { AMD_LOADABLE }, .id = "vendor-module", "fail",
          "kvm_amd is not loaded, though the CPU can do it", "modprobe kvm_amd" },
        { "not loaded as it can't", { AMD_LOADABLE, .flags = "sse2" }, .id = "vendor-module", "info", "kvm_amd is not loaded", NULL },
        { "there is no such module", { .flags = "svm" }, .id = "vendor-module", "fail", "has no module kvm_amd", NULL },
        { "its file went with an upgrade", { .no_module_files = true }, .id = "vendor-module", "fail", "not installed (any more)",
          "systemctl reboot" },
        { "no more modules until the next boot", { AMD_LOADABLE, .modules_disabled = true }, .id = "vendor-module", "fail",
          "switched off until the next boot", "systemctl reboot" },
        { "another vendor's module", { .flags = "sse2", .builtin = "kvm. kvm_pvm." }, .id = "vendor-module", "pass",
          "kvm_pvm is built into the kernel", NULL },

        { "the files are there", { AMD_LOADED }, .id = "module-files" },
        { "the files are gone", { AMD_LOADED, .no_module_files = true }, .id = "module-files", "warn", "once unloaded",
          "systemctl reboot" },
        { "a kernel without modules needs no files", { .builtin = "kvm. kvm_amd.nested=1", .no_module_files = true },
          .id = "module-files" },

        { "modules are not disabled", { AMD_LOADED }, .id = "modules-disabled" },
        { "modules are disabled", { AMD_LOADED, .modules_disabled = true }, .id = "modules-disabled", "info", "--next-boot", NULL },
        { "built in", { .builtin = "kvm. kvm_amd.nested=1" }, .id = "builtin", "info", "kernel command line", NULL },

        { "the node is right", { AMD_LOADED }, .id = "device", "pass", "it was not opened", NULL },
        { "the device answers", { AMD_LOADED }, .opened = "ok", .id = "device", "pass", "opens and answers", NULL },
        { "who opened it knows better", { AMD_LOADED }, .node = "ok", .opened = "broken", .id = "device", "fail",
          "does not answer as KVM", NULL },
        { "the device is missing", { AMD_LOADED }, .node = "missing", .id = "device", "fail", "/dev/kvm is missing",
          "nestvirtctl ensure-device" },
        { "the device is missing with its module", { AMD_LOADABLE }, .node = "missing", .id = "device", "info",
          "comes and goes with kvm_amd", NULL },
        { "something else is there", { AMD_LOADED }, .node = "wrong-node", .id = "device", "fail", "not the device node of KVM",
          "nestvirtctl ensure-device" },
        { "the device is denied", { AMD_LOADED }, .opened = "denied", .id = "device", "fail", "denied even to root",
          "nestvirtctl ensure-device" },

        { "nested is on", { AMD_LOADED }, .id = "nested", "pass", "can be hypervisors", NULL },
        { "nested is off", { .loaded = "kvm_amd.nested=0", .ours = "options kvm_amd nested=0\n" }, .id = "nested", "info",
          "nestvirtctl set nested=on", NULL },
        { "nested can't be told", { .loaded = "kvm_amd.npt=Y" }, .id = "nested", "warn", "kvm_amd does not show nested", NULL },
        { "a module without nesting", { .builtin = "kvm. kvm_pvm." }, .id = "nested", "info", "kvm_pvm has no nesting", NULL },
        { "no module", { AMD_LOADABLE }, .id = "nested", "info", "kvm_amd is not loaded", NULL },
        { "no known architecture", { .vendor = "" }, .id = "nested", "info", "not known on this architecture", NULL },

        { "paging in hardware", { AMD_LOADED }, .id = "paging", "pass", "(npt)", NULL },
        { "paging in software", { INTEL, .loaded = "kvm_intel.ept=N" }, .id = "paging", "warn", "ept is off", NULL },
        { "paging of another vendor", { .builtin = "kvm. kvm_pvm." }, .id = "paging" },
};
/* clang-format on */

static void test_each_id_is_shown(void) {
        check_rows_assert_cover(rows, G_N_ELEMENTS(rows), "degraded", "paging", NULL);
}

static void test_healthy_hosts_have_nothing_to_worry_about(void) {
        static const MadeHost healthy[] = {
                        {AMD_LOADED},
                        {.loaded = "kvm_amd.nested=0 kvm_amd.npt=Y", .ours = "options kvm_amd nested=0\n"},
                        {AMD_LOADED, .flags = "svm npt hypervisor", .modules_disabled = true},
                        {.loaded = "kvm_amd.nested=1 kvm_amd.avic=N kvm_amd.vgif=0 kvm_amd.vls=0 kvm.enable_pmu=N"},
                        {.release = "7.2.0",
                         .loaded = "kvm_amd.nested=1 kvm_amd.avic=N kvm_amd.sev=N kvm.nx_huge_pages+=N"},
                        {INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.ept=Y kvm_intel.enable_shadow_vmcs=Y "
                                          "kvm_intel.enable_apicv=N kvm_intel.sgx=N "
                                          "kvm_intel.vmentry_l1d_flush+=not~required"},
                        {.builtin = "kvm.ignore_msrs=N kvm_amd.nested=1", .no_module_files = true},
                        {.flags = "sse2",
                         .builtin = "kvm.tdp_mmu=N kvm_pvm.",
                         .no_module_files = true,
                         .cmdline = "nomodule"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(healthy); i++) {
                g_autoptr(Host) host = made_host(&healthy[i]);
                host->device = "ok";
                g_autoptr(GPtrArray) findings = check_host(host, "ok");
                g_assert_cmpuint(findings->len, >, 3);
                for (unsigned k = 0; k < findings->len; k++) {
                        const Finding *f = g_ptr_array_index(findings, k);
                        g_test_message("%s %s: %s", f->status, f->id, f->message);
                        g_assert_true(g_str_equal(f->status, "pass") || g_str_equal(f->status, "info"));
                }
        }
}

/* A machine that simply can't is not broken. */
static void test_ordinary_machines_do_not_fail(void) {
        static const MadeHost ordinary[] = {
                        {.flags = "sse2", AMD_LOADABLE},
                        {.vendor = "GenuineIntel", .flags = "hypervisor"},
                        {.vendor = "GenuineIntel", .flags = "hypervisor", .no_module_files = true},
                        {.vendor = ""},
                        {.vendor = "", .loaded = "kvm."},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(ordinary); i++) {
                g_autoptr(Host) host = made_host(&ordinary[i]);
                g_autoptr(GPtrArray) findings = NULL;
                host->device = i == 4 ? "ok" : "missing";
                findings = check_host(host, "");
                for (unsigned k = 0; k < findings->len; k++) {
                        const Finding *f = g_ptr_array_index(findings, k);
                        g_test_message("%s %s: %s", f->status, f->id, f->message);
                        g_assert_cmpstr(f->status, !=, "fail");
                }
        }
}

/* In a tree of files no device node can be, so its absence is no failure. */
static void test_a_tree_of_files_has_no_device(Tree *tree, gconstpointer data) {
        const MadeHost made = {AMD_LOADED};
        unsigned n;

        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(GPtrArray) findings = check_host(host, "");
        const Finding *f = check_row_find(findings, "device", &n);
        g_assert_cmpstr(host->device, ==, "missing");
        g_assert_cmpstr(f->status, ==, "info");
}

static void test_fixtures(void) {
        static const struct {
                const char *name;
                unsigned fails;
        } fixtures[] = {
                        {"amd-epyc-6.1", 0},
                        {"intel-haswell-desktop", 0},
                        {"intel-skylake-server", 0},
                        {"builtin-kvm-pvm", 0},
                        {"no-kvm", 0},
                        {"modules-disabled", 0},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(fixtures); i++) {
                Tree tree = {};
                unsigned fails = 0;
                tree_set_up(&tree, fixtures[i].name);
                g_autoptr(Host) host = host_read(tree.root, NULL);
                g_autoptr(GPtrArray) findings = check_host(host, "");
                for (unsigned k = 0; k < findings->len; k++) {
                        const Finding *f = g_ptr_array_index(findings, k);
                        g_test_message("%s: %s %s: %s", fixtures[i].name, f->status, f->id, f->message);
                        fails += g_str_equal(f->status, "fail");
                }
                g_assert_cmpuint(findings->len, >=, 4);
                g_assert_cmpuint(fails, ==, fixtures[i].fails);
                tree_tear_down(&tree, fixtures[i].name);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        check_rows_add(rows, G_N_ELEMENTS(rows));
        g_test_add_func("/check/each-id-of-a-host-is-shown", test_each_id_is_shown);
        g_test_add_func("/check/healthy-hosts-have-nothing-to-worry-about",
                        test_healthy_hosts_have_nothing_to_worry_about);
        g_test_add_func("/check/ordinary-machines-do-not-fail", test_ordinary_machines_do_not_fail);
        g_test_add("/check/device/a-tree-of-files-has-no-device", Tree, NULL, tree_set_up,
                   test_a_tree_of_files_has_no_device, tree_tear_down);
        g_test_add_func("/check/fixtures", test_fixtures);
        return g_test_run();
}
