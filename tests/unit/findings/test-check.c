/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about a host as a whole, and that a healthy one has nothing to worry about. */

#include <errno.h>
#include <string.h>

#include "check-row.h"

#define BELOW(hypervisor, ...) .files = PAIRS("sys/hypervisor/type", hypervisor, ##__VA_ARGS__)
#define LOCKDOWN "sys/kernel/security/lockdown"
#define ENFORCE "sys/module/module/parameters/sig_enforce"
/* A result that holds: neither of another boot nor of modules that were loaded anew. */
#define PROBED(result, message) PROBED_IN("", result, message)
#define PROBED_IN(boot, result, message)                                     \
        .files = PAIRS("run/nestvirt/probe",                                 \
                       "{\"Result\": <\"" result "\">, \"BootId\": <\"" boot \
                       "\">, \"Stale\": <false>, \"Loads\": <@a{st} {}>, \"Message\": <\"" message "\">}")
#define AMD_OFF .loaded = "kvm_amd.nested=0 kvm_amd.npt=Y"

/* clang-format off */
static const CheckRow rows[] = {
        { "nothing is said when nothing failed", { AMD_LOADED }, .id = "degraded" },
        { "a change could not be undone", { AMD_LOADED, .degraded = true }, .id = "degraded", "fail", "kvm_amd is live now",
          "systemctl restart nestvirtd.service" },
        { "a change could not be undone and KVM is gone", { AMD_LOADABLE, .degraded = true }, .id = "degraded", "fail",
          "kvm_amd is loadable now", "modprobe kvm_amd" },

        { "a damaged journal", { AMD_LOADED, .bad_journal = true }, .id = "journal-damaged", "fail",
          "/var/lib/nestvirt/change.damaged", "nestvirtctl reload" },
        { "a damaged journal is not one that failed", { AMD_LOADED, .bad_journal = true }, .id = "degraded" },
        { "a damaged journal that was put aside", { AMD_LOADED, .files = PAIRS("var/lib/nestvirt/change.damaged", "x") },
          .id = "journal-damaged", "fail", "it is not known what that change has left", "nestvirtctl reload" },
        { "a damaged journal that is settled", { AMD_LOADED, .files = PAIRS("var/lib/nestvirt/change.settled", "x") },
          .id = "journal-damaged" },

        { "on the hardware", { AMD_LOADED }, .id = "level", "info", "not a virtual machine", NULL },
        { "a virtual machine", { AMD_LOADED, .flags = "svm npt hypervisor" }, .id = "level", "info", "itself a virtual machine", NULL },

        { "KVM gives no vmx", { .vendor = "GenuineIntel", .flags = "hypervisor", BELOW("kvm") }, .id = "below", "info",
          "CPU is one without vmx", NULL },

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

        { "the firmware lets it", { AMD_LOADED }, .id = "firmware", "pass", "lets the CPU use svm (KVM uses it)", NULL },
        { "two sources", { AMD_LOADED, .kvm_msr = "" }, .id = "cpu-sources", "pass", "agree about the CPU", NULL },
        { "two processors", { AMD_LOADED, .others = "processor : 1\nflags : npt nrip_save svm\n" }, .id = "cpus-differ", "pass",
          "All 2 processors", NULL },
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
        { "not loaded beside another hypervisor", { AMD_LOADABLE, .files = PAIRS("sys/module/vboxdrv/initstate", "live\n") },
          .id = "vendor-module", "fail", "a load can fail, and there is vboxdrv", "modprobe kvm_amd" },
        { "not loaded as it can't", { AMD_LOADABLE, .flags = "sse2" }, .id = "vendor-module", "info", "kvm_amd is not loaded", NULL },
        { "there is no such module", { .flags = "svm" }, .id = "vendor-module", "fail", "has no module kvm_amd", NULL },
        { "its file went with an upgrade", { .no_module_files = true, .files = PAIRS("lib/modules/6.1.0-40-amd64/modules.dep", "",
          "lib/modules/6.1.0-9-amd64/modules.dep", "", "lib/modules/6.1.0-41-amd64/left-behind", "") }, .id = "vendor-module", "fail",
          "kvm_amd is not loaded, and the modules of the running kernel 6.1.0-38-amd64 are not installed any more (/lib/modules), those "
          "of 6.1.0-40-amd64 are: after an upgrade of the kernel", "systemctl reboot" },
        { "there are no modules at all", { .no_module_files = true, .files = PAIRS("var/lib/dpkg/info/linux-image-6.1.0-38-amd64.list", "") }, .id = "vendor-module", "fail",
          "are not installed (/lib/modules), nor those of any other", "apt-get install --reinstall linux-image-6.1.0-38-amd64" },
        { "there are no modules at all, and no package is known", { .no_module_files = true }, .id = "vendor-module", "fail",
          "nor those of any other", NULL },
        { "no modules on a CPU that can't", { .flags = "sse2", .no_module_files = true }, .id = "vendor-module", "info",
          "nor those of any other", NULL },
        { "no more modules until the next boot", { AMD_LOADABLE, .modules_disabled = true }, .id = "vendor-module", "fail",
          "switched off until the next boot", "systemctl reboot" },
        { "no modules ever", { AMD_LOADABLE, .cmdline = "quiet nomodule" }, .id = "vendor-module", "fail",
          "the kernel command line has nomodule", NULL },
        { "another vendor's module", { .flags = "sse2", .builtin = "kvm. kvm_pvm." }, .id = "vendor-module", "pass",
          "kvm_pvm is built into the kernel", NULL },

        { "the files are there", { AMD_LOADED }, .id = "module-files" },
        { "the files are gone", { AMD_LOADED, .no_module_files = true }, .id = "module-files", "warn", "Once unloaded, kvm_amd could not be loaded again: the modules of", NULL },
        { "the files went with an upgrade", { AMD_LOADED, .no_module_files = true,
          .files = PAIRS("lib/modules/6.1.0-40-amd64/modules.dep", "") }, .id = "module-files", "warn", "after an upgrade of the kernel",
          "systemctl reboot" },
        { "a kernel without modules needs no files", { .builtin = "kvm. kvm_amd.nested=1", .no_module_files = true },
          .id = "module-files" },

        { "modules are not disabled", { AMD_LOADED }, .id = "modules-disabled" },
        { "modules are disabled", { AMD_LOADED, .modules_disabled = true }, .id = "modules-disabled", "info", "--next-boot", NULL },
        { "modules are disabled for good", { AMD_LOADABLE, .cmdline = "nomodule" }, .id = "modules-disabled", "info",
          "The kernel command line has nomodule", NULL },

        { "not locked down", { AMD_LOADED, .files = PAIRS(LOCKDOWN, "[none] integrity confidentiality\n", ENFORCE, "N\n") },
          .id = "lockdown" },
        { "a kernel without lockdown", { AMD_LOADED }, .id = "lockdown" },
        { "locked down", { AMD_LOADED, .files = PAIRS(LOCKDOWN, "none [integrity] confidentiality\n") }, .id = "lockdown", "info",
          "locked down (/sys/kernel/security/lockdown: integrity): it takes only signed modules, and KVM's counters in debugfs", NULL },
        { "locked down without modules", { .builtin = "kvm. kvm_amd.nested=1",
          .files = PAIRS(LOCKDOWN, "none integrity [confidentiality]\n") }, .id = "lockdown", "info",
          "locked down (/sys/kernel/security/lockdown: confidentiality): KVM's counters", NULL },
        { "only signed modules", { AMD_LOADED, .files = PAIRS(ENFORCE, "Y\n") }, .id = "lockdown", "info",
          "takes only signed modules (/sys/module/module/parameters/sig_enforce)", NULL },
        { "only signed modules, and ours is not", { AMD_LOADED, .files = PAIRS(ENFORCE, "Y\n", "sys/module/kvm_amd/taint", "OE\n") },
          .id = "lockdown", "warn", "kvm_amd was loaded without a signature", NULL },
        { "locked down since ours was loaded", { AMD_LOADED, .files = PAIRS(LOCKDOWN, "none [integrity] confidentiality\n",
          "sys/module/kvm/taint", "E\n") }, .id = "lockdown", "warn",
          "kvm was loaded without a signature, and by now the kernel takes only modules that have one (/sys/kernel/security/lockdown)",
          NULL },
        { "ours is signed and built elsewhere", { AMD_LOADED, .files = PAIRS(ENFORCE, "Y\n", "sys/module/kvm_amd/taint", "O\n") },
          .id = "lockdown", "info", "takes only signed modules", NULL },
        { "an unsigned module is nobody's matter", { AMD_LOADED, .files = PAIRS("sys/module/kvm_amd/taint", "E\n") }, .id = "lockdown" },

        { "built in", { .builtin = "kvm. kvm_amd.nested=1" }, .id = "builtin", "info", "kernel command line", NULL },

        { "the node is right", { AMD_LOADED }, .id = "device", "pass", "it was not opened", NULL },
        { "the device answers", { AMD_LOADED }, .opened = "ok", .id = "device", "pass", "opens and answers", NULL },
        { "the device could not be opened", { AMD_LOADED }, .opened = "failed", .id = "device", "warn", "did not run",
          "journalctl -u nestvirtd -u \"nestvirt-device@*\"" },
        { "it could not be opened, and is not there", { AMD_LOADED }, .node = "missing", .opened = "failed", .id = "device", "fail",
          "/dev/kvm is missing", "nestvirtctl ensure-device" },
        { "who opened it knows better", { AMD_LOADED }, .node = "ok", .opened = "broken", .id = "device", "fail",
          "does not answer as KVM", "nestvirtctl reload" },
        { "the device is missing", { AMD_LOADED }, .node = "missing", .id = "device", "fail", "/dev/kvm is missing",
          "nestvirtctl ensure-device" },
        { "the device is missing with its module", { AMD_LOADABLE }, .node = "missing", .id = "device", "info",
          "comes and goes with kvm_amd", NULL },
        { "something else is there", { AMD_LOADED }, .node = "wrong-node", .id = "device", "fail", "not the device node of KVM (10:232)",
          "nestvirtctl ensure-device" },
        { "something else is in its place", { AMD_LOADABLE }, .node = "wrong-node", .id = "device", "warn",
          "in its place when kvm_amd is loaded", "rm /dev/kvm" },
        { "a node with nothing behind it", { AMD_LOADABLE }, .opened = "broken", .id = "device", "info",
          "nothing behind it while kvm_amd is not loaded", NULL },
        { "it does not answer", { AMD_LOADED }, .opened = "broken", .id = "device", "fail", "API version 12", "nestvirtctl reload" },
        { "it does not answer and can't be reloaded", { .builtin = "kvm. kvm_amd.nested=1" }, .opened = "broken", .id = "device", "fail",
          "API version 12", NULL },
        { "denied from outside", { AMD_LOADED }, .opened = "denied", .mode = 0660, .id = "device", "fail",
          "not by its owner or mode: a container", NULL },
        { "nobody may look at it", { AMD_LOADED }, .node = "denied", .id = "device", "fail", "a container", NULL },
        { "denied by its owner", { AMD_LOADED }, .opened = "denied", .mode = 0600, .uid = 1000, .id = "device", "fail",
          "it belongs to 1000:0 and has the mode 0600", "nestvirtctl ensure-device" },
        { "denied by its mode", { AMD_LOADED }, .opened = "denied", .mode = 0040, .id = "device", "fail", "has the mode 0040",
          "nestvirtctl ensure-device" },
        { "its mode is not what matters", { AMD_LOADED }, .opened = "ok", .mode = 0600, .id = "device", "pass", "opens and answers", NULL },

        { "root alone may use it", { AMD_LOADED, .files = PAIRS("etc/group", "kvm:x:107:\n") }, .opened = "ok", .mode = 0600,
          .id = "device-access", "warn", "belongs to 0:0 and has the mode 0600, where root", "nestvirtctl ensure-device" },
        { "nobody but root could use it", { AMD_LOADED }, .opened = "ok", .mode = 0600, .id = "device-access", "info",
          "has the mode 0600, and the host has no group kvm", NULL },
        { "another group may use it", { AMD_LOADED, .files = PAIRS("etc/group", "root:x:0:\nkvm:x:107:bob\n") }, .mode = 0660, .gid = 6,
          .id = "device-access", "warn", "belongs to 0:6 and has the mode 0660", "nestvirtctl ensure-device" },
        { "somebody else's, and there is no group", { AMD_LOADED }, .mode = 0660, .uid = 1, .gid = 1, .id = "device-access", "warn",
          "belongs to 1:1", "nestvirtctl ensure-device" },
        { "the group may use it", { AMD_LOADED, .files = PAIRS("etc/group", "root:x:0:\nkvm:x:107:bob\n") }, .mode = 0660, .gid = 107,
          .id = "device-access" },
        { "everybody may use it", { AMD_LOADED, .files = PAIRS("etc/group", "kvm:x:107:\n") }, .mode = 0666, .id = "device-access" },
        { "a host without the group", { AMD_LOADED }, .mode = 0660, .id = "device-access" },
        { "nobody could use it anyway", { AMD_LOADABLE }, .mode = 0600, .id = "device-access" },
        { "something is wrong besides", { AMD_LOADED }, .opened = "broken", .mode = 0600, .id = "device-access" },

        { "nested is on", { AMD_LOADED }, .id = "nested", "pass", "can be hypervisors", NULL },
        { "nested is off", { .loaded = "kvm_amd.nested=0", .ours = "options kvm_amd nested=0\n" }, .id = "nested", "info",
          "nestvirtctl set nested=on", NULL },
        { "nested can't be told", { .loaded = "kvm_amd.npt=Y" }, .id = "nested", "warn", "kvm_amd does not show nested", NULL },
        { "a module without nesting", { .builtin = "kvm. kvm_pvm." }, .id = "nested", "info", "kvm_pvm has no nesting", NULL },
        { "no module", { AMD_LOADABLE }, .id = "nested", "info", "kvm_amd is not loaded", NULL },
        { "no known architecture", { .vendor = "" }, .id = "nested", "info", "not known on this architecture", NULL },

        { "paging in hardware", { AMD_LOADED }, .id = "paging", "pass", "npt is on (/sys/module/kvm_amd/parameters/npt)", NULL },
        { "paging in software", { INTEL, .loaded = "kvm_intel.ept=N" }, .id = "paging", "warn", "ept is off",
          "nestvirtctl set ept=on" },
        { "paging in software as the CPU can't", { .flags = "svm", .loaded = "kvm_amd.npt=N" }, .id = "paging", "warn", "npt is off", NULL },
        { "paging of another vendor", { .builtin = "kvm. kvm_pvm." }, .id = "paging" },

        { "never probed", { AMD_LOADED }, .id = "probe" },
        { "probed, and on", { AMD_LOADED, PROBED("on", "It ran.") }, .id = "probe", "pass", "A guest of a guest has run", NULL },
        { "probed, and off", { AMD_OFF, PROBED("off", "It is off.") }, .id = "probe", "pass",
          "not even with a virtual CPU that is forced to have svm", NULL },
        { "probed on Intel, and off", { INTEL, .loaded = "kvm_intel.nested=N", PROBED("off", "It is off.") }, .id = "probe", "pass",
          "forced to have vmx", NULL },
        { "it only looks off", { AMD_OFF, PROBED("on", "It ran.") }, .id = "probe", "fail",
          "nested is off (/sys/module/kvm_amd/parameters/nested), and yet a guest of a guest ran", "nestvirtctl reload" },
        { "it only looks off where KVM is built in", { .builtin = "kvm. kvm_amd.nested=0", PROBED("on", "It ran.") }, .id = "probe",
          "fail", "and yet a guest of a guest ran", NULL },
        { "it only looks on", { AMD_LOADED, PROBED("off", "VMRUN took #UD. It is so.") }, .id = "probe", "fail",
          "nested is on (/sys/module/kvm_amd/parameters/nested), but nestvirtctl probe has found: VMRUN took #UD. It is so", NULL },
        { "it is on and broken", { AMD_LOADED, PROBED("broken", "VMRUN refused the VMCB.") }, .id = "probe", "fail",
          "has found: VMRUN refused the VMCB", NULL },
        { "it hangs even when it is off", { AMD_OFF, PROBED("hang", "L2 does not end.") }, .id = "probe", "fail",
          "nested is off (/sys/module/kvm_amd/parameters/nested), but nestvirtctl probe has found: L2 does not end", NULL },
        { "it is on and not offered", { AMD_LOADED, PROBED("unsupported", "Not offered.") }, .id = "probe", "fail", "Not offered", NULL },
        { "the device was denied", { AMD_LOADED, PROBED("denied", "Denied.") }, .id = "probe" },
        { "a result of another boot", { AMD_LOADED, PROBED_IN("another", "off", "It is off.") }, .id = "probe" },
        { "a result and no KVM", { AMD_LOADABLE, PROBED("on", "It ran.") }, .id = "probe" },
        { "a result that nobody understands", { AMD_LOADED, .files = PAIRS("run/nestvirt/probe", "{\"Result\": <1>}") }, .id = "probe" },
};
/* clang-format on */

static Fault *made_fault(void) {
        Fault *fault = g_new(Fault, 1);

        *fault = (Fault) {.path = g_strdup("/proc/cpuinfo"), .errnum = EMFILE};
        return fault;
}

static const Finding *first(const GPtrArray *findings) {
        return g_ptr_array_index(findings, 0);
}

/* What was known is still judged when the last reading was void; what is around KVM must be
 * known. */
static void test_reading_failed(void) {
        const MadeHost made = {AMD_LOADED};
        g_autoptr(CheckFacts) facts = NULL;
        g_autoptr(Host) host = made_host_around(&made, &facts);
        g_autoptr(GPtrArray) whole = check_host(host, facts, "");
        unsigned n;

        g_assert_null(check_row_find(whole, "reading-failed", &n));
        host->fault = made_fault();
        g_autoptr(GPtrArray) old = check_host(host, facts, "");
        g_assert_cmpuint(old->len, ==, whole->len + 1);
        g_assert_cmpstr(first(old)->id, ==, "reading-failed");
        g_assert_cmpstr(first(old)->status, ==, "fail");
        g_assert_nonnull(strstr(first(old)->message, "/proc/cpuinfo could not be read: Too many open files"));
        g_assert_nonnull(strstr(first(old)->message, "as it was before"));
        g_assert_cmpstr(first(old)->fix, ==, "systemctl restart nestvirtd.service");

        g_clear_pointer(&host->fault, fault_free);
        facts->fault = made_fault();
        g_autoptr(GPtrArray) nothing = check_host(host, facts, "");
        g_assert_cmpuint(nothing->len, ==, 1);
        g_assert_nonnull(strstr(first(nothing)->message, "nothing else can be found"));
}

static void test_each_id_is_shown(void) {
        check_rows_assert_cover(rows, G_N_ELEMENTS(rows), "degraded", "probe", NULL);
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
                g_autoptr(CheckFacts) facts = NULL;
                g_autoptr(Host) host = made_host_around(&healthy[i], &facts);
                host->device = "ok";
                g_autoptr(GPtrArray) findings = check_host(host, facts, "ok");
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
                g_autoptr(CheckFacts) facts = NULL;
                g_autoptr(Host) host = made_host_around(&ordinary[i], &facts);
                g_autoptr(GPtrArray) findings = NULL;
                host->device = i == 4 ? "ok" : "missing";
                findings = check_host(host, facts, "");
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
        g_autoptr(CheckFacts) facts = check_facts_read(host);
        g_autoptr(GPtrArray) findings = check_host(host, facts, "");
        const Finding *f = check_row_find(findings, "device", &n);
        g_assert_cmpstr(host->device, ==, "missing");
        g_assert_cmpstr(f->status, ==, "info");
}

static void test_guests_that_are_left_out(Tree *tree, gconstpointer data) {
        const MadeHost made = {AMD_LOADED};
        unsigned n;

        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(CheckFacts) facts = check_facts_read(host);
        g_autoptr(GPtrArray) none = check_host(host, facts, "ok");
        g_assert_null(check_row_find(none, "guests-left-out", &n));
        facts->guests_left_out = 17;
        g_autoptr(GPtrArray) findings = check_host(host, facts, "ok");
        const Finding *f = check_row_find(findings, "guests-left-out", &n);
        g_assert_cmpuint(n, ==, 1);
        g_assert_cmpstr(f->status, ==, "warn");
        g_assert_nonnull(strstr(f->message, ": 17 of them"));
}

static const Finding *find_windows(const Host *host, const CheckFacts *facts, GPtrArray **ret) {
        unsigned n;

        g_clear_pointer(ret, g_ptr_array_unref);
        *ret = check_host(host, facts, "ok");
        return check_row_find(*ret, "windows-nests", &n);
}

static void test_windows_that_nests(Tree *tree, gconstpointer data) {
        const MadeHost made = {AMD_LOADED};
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_autoptr(CheckFacts) facts = check_facts_read(host);
        g_autoptr(GPtrArray) findings = NULL;

        g_assert_null(find_windows(host, facts, &findings));
        facts->guests_unasked = g_ptr_array_new_with_free_func(g_free);
        g_assert_null(find_windows(host, facts, &findings));
        g_ptr_array_add(facts->guests_unasked, g_strdup("win 1"));
        const Finding *f = find_windows(host, facts, &findings);
        g_assert_cmpstr(f->status, ==, "warn");
        g_assert_true(g_str_has_prefix(f->message, "win 1 is Windows and gets svm with the host's CPU"));
        g_assert_cmpstr(f->fix, ==, "nestvirtctl set-cpu 'win 1' --nested=no");
        for (unsigned i = 2; i <= 10; i++)
                g_ptr_array_add(facts->guests_unasked, g_strdup_printf("win%u", i));
        f = find_windows(host, facts, &findings);
        g_assert_nonnull(strstr(f->message, "win7, win8 and 2 more are Windows and get svm"));
        /* Its names are not for everybody. */
        facts->guests_hidden = true;
        f = find_windows(host, facts, &findings);
        g_assert_true(g_str_has_prefix(f->message, "10 of libvirt's guests are Windows and get svm"));
        g_assert_null(strstr(f->message, "win"));
        g_assert_cmpstr(f->fix, ==, "");
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
                g_autoptr(CheckFacts) facts = check_facts_read(host);
                g_autoptr(GPtrArray) findings = check_host(host, facts, "");
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
        g_test_add_func("/check/reading-failed", test_reading_failed);
        g_test_add_func("/check/each-id-of-a-host-is-shown", test_each_id_is_shown);
        g_test_add_func("/check/healthy-hosts-have-nothing-to-worry-about",
                        test_healthy_hosts_have_nothing_to_worry_about);
        g_test_add_func("/check/ordinary-machines-do-not-fail", test_ordinary_machines_do_not_fail);
        g_test_add("/check/device/a-tree-of-files-has-no-device", Tree, NULL, tree_set_up,
                   test_a_tree_of_files_has_no_device, tree_tear_down);
        g_test_add("/check/windows-that-nests", Tree, NULL, tree_set_up, test_windows_that_nests, tree_tear_down);
        g_test_add("/check/guests-that-are-left-out", Tree, NULL, tree_set_up, test_guests_that_are_left_out,
                   tree_tear_down);
        g_test_add_func("/check/fixtures", test_fixtures);
        return g_test_run();
}
