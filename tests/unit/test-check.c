/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The findings of a host: one made host for each, and that a healthy one has none to worry about. */

#include <string.h>

#include "check.h"
#include "made-host.h"

#define VMX_FLAGS "ept ept_ad vpid invvpid shadow_vmcs flexpriority vnmi preemption_timer unrestricted_guest ple"
#define INTEL .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_FLAGS
#define AMD_LOADED .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y"
#define AMD_LOADABLE .loadable = "kvm. kvm_amd.nested kvm_amd.npt"

/* In their order; written out again on purpose: they are an interface. */
static const char *const ids[] = {
                "degraded",
                "level",
                "cpu",
                "cpu-features",
                "kvm",
                "vendor-module",
                "module-files",
                "modules-disabled",
                "builtin",
                "device",
                "nested",
                "paging",
                "kvm-kept",
                "pending",
                "parameter-refused",
                "parameter-unsupported",
                "parameter-needs",
                "parameter-differs",
                "parameter-by-hand",
                "parameter-unknown",
                "parameter-overridden",
                "builtin-options",
                "install-command",
                "blacklist",
                "modprobe-line",
                "masked-file",
                "nx-huge-pages",
                "l1d-flush",
                NULL,
};

typedef struct Row {
        const char *fact;
        MadeHost made;
        const char *node;   /* what stat says of the device; NULL: "ok" */
        const char *opened; /* what a child said that opened it; NULL: nobody did */
        const char *id, *status;
        const char *message; /* a part of it; with no status: of none of this id */
        const char *fix;     /* NULL: none */
} Row;

/* clang-format off */
static const Row rows[] = {
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

        { "nested only looks off", { .loaded = "kvm_amd.nested=0", .ours = "options kvm_amd nested=0\n", .kvm_kept = true },
          .id = "kvm-kept", "warn", "stayed loaded", "nestvirtctl reload" },
        { "nested is on again", { AMD_LOADED, .kvm_kept = true }, .id = "kvm-kept" },

        { "a change waits", { AMD_LOADED, .ours = "options kvm_amd nested=0\n", .pending = "kvm_amd.nested=0" }, .id = "pending",
          "info", "nested=off waits until nobody uses kvm_amd", NULL },
        { "what waits does not differ besides", { AMD_LOADED, .ours = "options kvm_amd nested=0\n",
          .pending = "kvm_amd.nested=0" }, .id = "parameter-differs" },

        { "a value that the module won't load with", { AMD_LOADED, .modprobe = "options kvm_amd nested=Y\n" },
          .id = "parameter-refused", "warn", "write nested=1 there", NULL },
        { "and it is not loaded", { AMD_LOADABLE, .modprobe = "options kvm_amd nested=Y\n" }, .id = "parameter-refused", "fail",
          "kvm_amd.nested: With \"nested=Y\"", NULL },

        { "asked for and the CPU lacks it", { .loaded = "kvm_amd.avic=N", .modprobe = "options kvm_amd avic=1\n" },
          .id = "parameter-unsupported", "warn", "kvm_amd.avic is off. The CPU lacks avic", NULL },
        { "a default that the CPU lacks", { .loaded = "kvm_amd.vgif=0" }, .id = "parameter-unsupported" },
        { "auto asks for nothing", { .release = "7.2.0", .loaded = "kvm_amd.avic=N", .modprobe = "options kvm_amd avic=auto\n" },
          .id = "parameter-unsupported" },

        { "asked for and another is off", { .flags = "svm npt avic", .loaded = "kvm_amd.npt=N kvm_amd.avic=N",
          .modprobe = "options kvm_amd npt=0 avic=1\n" }, .id = "parameter-needs", "warn", "It needs npt", NULL },
        { "taken along by another", { INTEL, .loaded = "kvm_intel.ept=N kvm_intel.eptad=N",
          .modprobe = "options kvm_intel ept=0\n" }, .id = "parameter-needs" },

        { "configured and not in effect", { AMD_LOADED, .modprobe = "options kvm_amd nested=0\n" }, .id = "parameter-differs",
          "warn", "kvm_amd.nested is on. kvm_amd was loaded before", "nestvirtctl reload" },
        { "configured and writable", { .loaded = "kvm.ignore_msrs+=N kvm_amd.nested=1", .modprobe = "options kvm ignore_msrs=1\n" },
          .id = "parameter-differs", "warn", "kvm.ignore_msrs is off", "nestvirtctl set ignore_msrs=on" },
        { "kvm keeps an old value", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_FLAGS " vapic_reg vid posted_intr",
          .loaded = "kvm_intel.enable_apicv=N",
          .modprobe = "options kvm_intel enable_apicv=1\n" }, .id = "parameter-differs", "warn", "kvm keeps its value",
          "nestvirtctl reload" },
        { "kvm keeps a value that nobody asked for", { .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = VMX_FLAGS " vapic_reg vid posted_intr",
          .loaded = "kvm_intel.enable_apicv=N" },
          .id = "parameter-differs", "info", "kvm keeps its value", "nestvirtctl reload" },
        { "all as configured", { AMD_LOADED, .modprobe = "options kvm_amd nested=1 npt=1\n" }, .id = "parameter-differs" },

        { "nested off by hand will be on after a boot", { .loaded = "kvm_amd.nested=0" }, .id = "parameter-by-hand", "warn",
          "It is on as a rule", "nestvirtctl set nested=off" },
        { "tuned by hand", { .loaded = "kvm.halt_poll_ns+=0 kvm_amd.nested=1" }, .id = "parameter-by-hand", "info",
          "kvm.halt_poll_ns is 0", NULL },
        { "chosen by the kernel", { .loaded = "kvm.mmio_caching=N kvm_amd.nested=1" }, .id = "parameter-by-hand" },

        { "a name that the kernel does not know", { AMD_LOADED, .modprobe = "options kvm_amd nestd=1\n" }, .id = "parameter-unknown",
          "warn", "no parameter \"nestd\" and ignores it (/etc/modprobe.d/admin.conf:1)", NULL },
        { "on the kernel command line too", { .cmdline = "kvm.nestd=1",
          .loaded = "kvm_amd.nested=1 kvm.ignore_msrs=N" }, .id = "parameter-unknown", "warn", "(the kernel command line)", NULL },
        { "the other vendor's module is another matter", { AMD_LOADED, .modprobe = "options kvm_intel banana=1\n" },
          .id = "parameter-unknown" },
        { "a module whose parameters are not known", { .flags = "svm", .modprobe = "options kvm_amd nested=1\n" },
          .id = "parameter-unknown" },
        { "what every module takes", { AMD_LOADED, .modprobe = "options kvm_amd dyndbg=+p\n" }, .id = "parameter-unknown" },

        { "a later line beats ours", { AMD_LOADED, .ours = "options kvm_amd nested=0\n", .late = "options kvm_amd nested=1\n" },
          .id = "parameter-overridden", "warn", "zzzz-late.conf:1 (on) wins over /etc/modprobe.d/zz-nestvirt.conf:1, which says "
          "otherwise and was written by nestvirtd", NULL },
        { "ours beats an earlier line", { AMD_LOADED, .ours = "options kvm_amd nested=1\n", .modprobe = "options kvm_amd nested=0\n" },
          .id = "parameter-overridden", "info", "zz-nestvirt.conf:1 (on) wins over /etc/modprobe.d/admin.conf:1", NULL },
        { "the last of those that contradict is named", { AMD_LOADED, .ours = "options kvm_amd nested=1\n",
          .modprobe = "options kvm_amd nested=1\noptions kvm_amd nested=0\n" }, .id = "parameter-overridden", "info",
          "wins over /etc/modprobe.d/admin.conf:2", NULL },
        { "two that say the same", { INTEL, .loaded = "kvm_intel.nested=Y", .modprobe = "options kvm_intel nested=1\n",
          .late = "options kvm_intel nested=Y\n" }, .id = "parameter-overridden" },

        { "other parameters are another matter", { .loaded = "kvm_amd.nested=1 kvm_amd.npt=N",
          .modprobe = "options kvm_amd nested=1 npt=0\noptions kvm_intel nested=0\noptions kvm_amd nested=1\n" },
          .id = "parameter-overridden" },

        { "modprobe.d for a built-in module", { .builtin = "kvm. kvm_amd.nested=1", .modprobe = "options kvm_amd nested=0\n" },
          .id = "builtin-options", "warn", "put kvm_amd.nested=0 on the kernel command line", NULL },

        { "an install line", { AMD_LOADED, .modprobe = "\ninstall kvm_amd /bin/true\n" }, .id = "install-command", "warn",
          "An \"install\" line for kvm_amd (/etc/modprobe.d/admin.conf:2)", NULL },
        { "a remove line for kvm", { AMD_LOADED, .modprobe = "remove kvm /bin/true\n" }, .id = "install-command", "warn",
          "A \"remove\" line for kvm (", NULL },
        { "an install line for something else", { AMD_LOADED, .modprobe = "install floppy /bin/true\n" }, .id = "install-command" },

        { "blacklisted", { AMD_LOADED, .modprobe = "blacklist kvm-amd\n" }, .id = "blacklist", "warn",
          "blacklisted (/etc/modprobe.d/admin.conf:1)", NULL },
        { "the other vendor's is blacklisted", { AMD_LOADED, .modprobe = "blacklist kvm_intel\n" }, .id = "blacklist" },

        { "a line that modprobe ignores", { AMD_LOADED, .modprobe = "optoins kvm_amd nested=0\n" }, .id = "modprobe-line", "info",
          "/etc/modprobe.d/admin.conf:1: ", NULL },
        { "one in our own file", { AMD_LOADED, .ours = "nonsense\n" }, .id = "modprobe-line", "warn",
          "/etc/modprobe.d/zz-nestvirt.conf:1: ", NULL },

        { "huge pages", { .loaded = "kvm.nx_huge_pages+=Y kvm_amd.nested=0" }, .id = "nx-huge-pages", "info", "is on", NULL },
        { "the L1 data cache", { INTEL, .loaded = "kvm_intel.vmentry_l1d_flush+=not~required" }, .id = "l1d-flush", "info",
          "\"not required\"", NULL },
};
/* clang-format on */

static GPtrArray *check(const Host *host, const char *device) {
        GPtrArray *findings = check_host(host, device);

        g_ptr_array_set_free_func(findings, (GDestroyNotify) finding_free);
        return findings;
}

static const Finding *find(const GPtrArray *findings, const char *id, unsigned *ret_n) {
        const Finding *found = NULL;

        *ret_n = 0;
        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *f = g_ptr_array_index(findings, i);
                if (!g_str_equal(f->id, id))
                        continue;
                found = f;
                (*ret_n)++;
        }
        return found;
}

static int position(const char *id) {
        for (int i = 0; ids[i]; i++)
                if (g_str_equal(ids[i], id))
                        return i;
        return -1;
}

static void assert_order_and_words(const GPtrArray *findings) {
        static const char *const statuses[] = {"pass", "info", "warn", "fail", NULL};
        int last = -1;

        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *f = g_ptr_array_index(findings, i);
                g_test_message("%s %s: %s", f->status, f->id, f->message);
                g_assert_cmpint(position(f->id), >=, 0);
                g_assert_cmpint(position(f->id), >=, last);
                last = position(f->id);
                g_assert_true(g_strv_contains(statuses, f->status));
                g_assert_cmpstr(f->subject, ==, "host");
                g_assert_cmpstr(f->message, !=, "");
                g_assert_false(g_str_has_suffix(f->message, "."));
                g_assert_null(strstr(f->message, "  "));
                if (g_str_equal(f->status, "pass"))
                        g_assert_cmpstr(f->fix, ==, "");
        }
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(Host) host = made_host(&row->made);
        unsigned n;

        host->device = row->node ? row->node : "ok";
        g_autoptr(GPtrArray) findings = check(host, row->opened ? row->opened : "");
        const Finding *f = find(findings, row->id, &n);

        assert_order_and_words(findings);
        if (!row->status) {
                g_assert_null(f);
                return;
        }
        g_assert_nonnull(f);
        g_assert_cmpuint(n, ==, 1);
        g_assert_cmpstr(f->status, ==, row->status);
        g_assert_nonnull(strstr(f->message, row->message));
        g_assert_cmpstr(f->fix, ==, row->fix ? row->fix : "");
}

/* Also that the table below it knows a host for each id. */
static void test_ids(void) {
        for (gsize i = 0; ids[i]; i++) {
                bool shown = g_str_equal(ids[i], "masked-file");
                for (gsize r = 0; r < G_N_ELEMENTS(rows); r++)
                        shown = shown || (g_str_equal(rows[r].id, ids[i]) && rows[r].status);
                g_test_message("%s", ids[i]);
                g_assert_true(shown);
        }
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
                g_autoptr(GPtrArray) findings = check(host, "ok");
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
                findings = check(host, "");
                for (unsigned k = 0; k < findings->len; k++) {
                        const Finding *f = g_ptr_array_index(findings, k);
                        g_test_message("%s %s: %s", f->status, f->id, f->message);
                        g_assert_cmpstr(f->status, !=, "fail");
                }
        }
}

static void test_masked_file(Tree *tree, gconstpointer data) {
        static const char *const others[] = {"libvirt.conf", "my-nestvirt.conf", "qemu-system-x86.conf"};
        const MadeHost made = {AMD_LOADED};
        unsigned n;

        tree_write(tree, "etc/modprobe.d/kvm.conf", "");
        tree_write(tree, "usr/lib/modprobe.d/kvm.conf", "options kvm_amd nested=0\n");
        for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
                g_autofree char *first = g_strconcat("etc/modprobe.d/", others[i], NULL);
                g_autofree char *second = g_strconcat("usr/lib/modprobe.d/", others[i], NULL);
                tree_write(tree, first, "");
                tree_write(tree, second, "options kvm_amd nested=0\n");
        }
        tree_write(tree, "etc/modprobe.d/floppy.conf", "");
        tree_write(tree, "usr/lib/modprobe.d/floppy.conf", "blacklist floppy\n");
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(GPtrArray) findings = check(host, "");
        const Finding *f = find(findings, "masked-file", &n);
        g_assert_cmpuint(n, ==, 1 + G_N_ELEMENTS(others));
        g_assert_cmpstr(f->status, ==, "info");
        g_assert_nonnull(strstr(f->message, "/usr/lib/modprobe.d/qemu-system-x86.conf is not read"));
}

/* In a tree of files no device node can be, so its absence is no failure. */
static void test_a_tree_of_files_has_no_device(Tree *tree, gconstpointer data) {
        const MadeHost made = {AMD_LOADED};
        unsigned n;

        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(GPtrArray) findings = check(host, "");
        const Finding *f = find(findings, "device", &n);
        g_assert_cmpstr(host->device, ==, "missing");
        g_assert_cmpstr(f->status, ==, "info");
}

static void test_many_of_a_kind_are_counted(void) {
        g_autoptr(GString) lines = g_string_new(NULL);
        unsigned n;

        for (unsigned i = 0; i < 1000; i++)
                g_string_append_printf(lines, "options kvm_amd x%u=1\n", i);
        const MadeHost made = {AMD_LOADED, .modprobe = lines->str};
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(GPtrArray) findings = check(host, "");
        const Finding *f = find(findings, "parameter-unknown", &n);
        g_assert_cmpuint(n, ==, 17);
        g_assert_cmpstr(f->message, ==, "and 984 more of this kind");
        g_assert_cmpstr(f->status, ==, "info");
}

static void test_every_bad_line(void) {
        const MadeHost made = {AMD_LOADED, .modprobe = "x\ny\noptions kvm_amd nested=1\nz\n"};
        g_autoptr(Host) host = made_host(&made);
        g_autoptr(GPtrArray) findings = check(host, "");
        unsigned n;

        const Finding *f = find(findings, "modprobe-line", &n);
        g_assert_cmpuint(n, ==, 3);
        g_assert_true(g_str_has_prefix(f->message, "/etc/modprobe.d/admin.conf:4: "));
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
                g_autoptr(GPtrArray) findings = check(host, "");
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
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *fact = g_strdelimit(g_strdup(rows[i].fact), " ", '-');
                g_autofree char *path = g_strconcat("/check/", rows[i].id, "/", fact, NULL);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/check/ids", test_ids);
        g_test_add_func("/check/healthy-hosts-have-nothing-to-worry-about",
                        test_healthy_hosts_have_nothing_to_worry_about);
        g_test_add_func("/check/ordinary-machines-do-not-fail", test_ordinary_machines_do_not_fail);
        g_test_add("/check/masked-file/hidden", Tree, NULL, tree_set_up, test_masked_file, tree_tear_down);
        g_test_add("/check/device/a-tree-of-files-has-no-device", Tree, NULL, tree_set_up,
                   test_a_tree_of_files_has_no_device, tree_tear_down);
        g_test_add_func("/check/many-of-a-kind-are-counted", test_many_of_a_kind_are_counted);
        g_test_add_func("/check/every-bad-line", test_every_bad_line);
        g_test_add_func("/check/fixtures", test_fixtures);
        return g_test_run();
}
