/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The snapshot: which modules a host has, and what its parts say together. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "journal.h"
#include "made-host.h"
#include "plan.h"

typedef struct Row {
        const char *fact;
        MadeHost made;
        const char *vendor; /* NULL: there is none */
        const char *state, *nested, *mmu;
} Row;

#define INTEL .vendor = "GenuineIntel", .flags = "vmx", .vmx_flags = "ept"

/* clang-format off */
static const Row rows[] = {
        { "amd", { .loaded = "kvm_amd.nested=1 kvm_amd.npt=Y" }, .vendor = "kvm_amd", "live", "on", "tdp" },
        { "amd with nested off", { .loaded = "kvm_amd.nested=0 kvm_amd.npt=1" }, .vendor = "kvm_amd", "live", "off", "tdp" },
        { "amd without npt", { .loaded = "kvm_amd.nested=1 kvm_amd.npt=N" }, .vendor = "kvm_amd", "live", "on", "shadow" },
        { "intel", { INTEL, .loaded = "kvm_intel.nested=Y kvm_intel.ept=Y" }, .vendor = "kvm_intel", "live", "on", "tdp" },
        { "intel with all off", { INTEL, .loaded = "kvm_intel.nested=N kvm_intel.ept=N" }, .vendor = "kvm_intel", "live", "off",
          "shadow" },
        { "the loaded module counts, not the CPU", { INTEL, .loaded = "kvm_amd.nested=1" }, .vendor = "kvm_amd", "live", "on", "" },
        { "loadable", { .loadable = "kvm. kvm_amd.nested" }, .vendor = "kvm_amd", "loadable", "unavailable", "" },
        { "loadable intel", { INTEL, .loadable = "kvm. kvm_intel.nested" }, .vendor = "kvm_intel", "loadable", "unavailable", "" },
        { "no module file", { INTEL }, .vendor = "kvm_intel", "missing", "unavailable", "" },
        { "no svm flag", { .flags = "sse2", .loadable = "kvm. kvm_amd." }, .vendor = "kvm_amd", "loadable", "unavailable", "" },
        { "built in", { .builtin = "kvm.ignore_msrs=N kvm_amd.nested=1 kvm_amd.npt=Y" }, .vendor = "kvm_amd", "builtin", "on", "tdp" },
        { "built in, on a CPU without svm", { .flags = "sse2", .builtin = "kvm. kvm_amd.nested=1 kvm_amd.npt=Y" },
          .vendor = "kvm_amd", "builtin", "unavailable", "" },
        { "both built in on Intel", { INTEL, .builtin = "kvm. kvm_amd.nested=1 kvm_intel.nested=Y kvm_intel.ept=Y" },
          .vendor = "kvm_intel", "builtin", "on", "tdp" },
        { "both built in on AMD", { .builtin = "kvm. kvm_amd.nested=1 kvm_amd.npt=Y kvm_intel.nested=Y" },
          .vendor = "kvm_amd", "builtin", "on", "tdp" },
        { "another vendor's built-in module", { .builtin = "kvm.ignore_msrs=N kvm_pvm." }, .vendor = "kvm_pvm", "builtin",
          "unavailable", "" },
        { "another vendor's module", { .loaded = "kvm_pvm.x=1" }, .vendor = "kvm_pvm", "live", "unavailable", "" },
        { "a known one is preferred", { .loaded = "kvm_aaa.x=1 kvm_amd.nested=1" }, .vendor = "kvm_amd", "live", "on", "" },
        { "nested can't be read", { .loaded = "kvm_amd.nested= kvm_amd.npt=Y" }, .vendor = "kvm_amd", "live", "unknown", "tdp" },
        { "nested is not there", { .loaded = "kvm_amd.npt=Y" }, .vendor = "kvm_amd", "live", "unknown", "tdp" },
        { "powerpc", { .vendor = "", .loaded = "kvm_hv.nested+=Y" }, .vendor = "kvm_hv", "live", "on", "" },
        { "another architecture", { .vendor = "" }, .vendor = NULL, NULL, "unavailable", "" },
};
/* clang-format on */

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(Host) host = made_host(&row->made);
        const Module *vendor = host_vendor_module(host);

        g_assert_nonnull(host_module(host, "kvm"));
        g_assert_true(host_module(host, "kvm") == g_ptr_array_index(host->modules, 0));
        g_assert_cmpstr(vendor ? vendor->name : NULL, ==, row->vendor);
        if (vendor)
                g_assert_cmpstr(module_state_to_string(vendor->state), ==, row->state);
        g_assert_cmpuint(host->modules->len, ==, vendor ? 2 : 1);
        g_assert_cmpstr(host_nested(host), ==, row->nested);
        g_assert_cmpstr(host_mmu(host), ==, row->mmu);
        g_assert_null(host_module(host, "kvm_banana"));
}

/* The flag is there, and init failed all the same; the module's parameters stay. */
static void test_built_in_without_its_device(Tree *tree, gconstpointer data) {
        const MadeHost made = {.builtin = "kvm. kvm_amd.nested=1 kvm_amd.npt=Y"};

        tree_folder(tree, "sys/class/misc");
        g_autoptr(Host) dead = made_host_read(&made, tree);
        g_assert_true(host_vendor_module(dead)->dead);
        g_assert_cmpstr(host_nested(dead), ==, "unavailable");
        g_assert_cmpstr(host_mmu(dead), ==, "");
        tree_folder(tree, "sys/class/misc/kvm");
        g_autoptr(Host) alive = host_read(tree->root, NULL);
        g_assert_false(host_vendor_module(alive)->dead);
        g_assert_cmpstr(host_nested(alive), ==, "on");
}

/* Modules that use kvm and are not the vendor's. */
static void test_other_users_of_kvm_are_no_vendor(Tree *tree, gconstpointer data) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1"};

        tree_write(tree, "sys/module/kvm/holders/kvmgt", "");
        tree_write(tree, "sys/module/kvm/holders/aaa", "");
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_assert_cmpstr(host_vendor_module(host)->name, ==, "kvm_amd");
}

/* A folder beside a kvm that is not built in, and that does not name it as its user, is only on its
 * way in or out. */
static void test_a_module_that_comes_or_goes_is_no_vendor(Tree *tree, gconstpointer data) {
        const MadeHost made = {.loaded = "kvm."};

        tree_folder(tree, "sys/module/kvm_pvm");
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_assert_cmpstr(host_vendor_module(host)->name, ==, "kvm_amd");
}

static void test_facts_of_the_kernel(Tree *tree, gconstpointer data) {
        const MadeHost made = {
                        .release = "6.12.1-test",
                        .loaded = "kvm_amd.nested=1",
                        .cmdline = "quiet nomodule",
                        .kvm_kept = true,
                        .degraded = true,
                        .pending = "kvm_amd.nested=0",
        };

        tree_write(tree, "proc/sys/kernel/random/boot_id", "0e3f5a52-0000-4000-8000-000000000001\n");
        g_autoptr(Host) host = made_host_read(&made, tree);
        g_assert_cmpstr(host->release, ==, "6.12.1-test");
        g_assert_cmpstr(host->boot_id, ==, "0e3f5a52-0000-4000-8000-000000000001");
        g_assert_true(host->modules_disabled);
        g_assert_true(host->kvm_kept);
        g_assert_true(host->degraded);
        g_assert_true(host->has_module_files);
        g_assert_cmpstr(host_pending(host, "kvm_amd", "nested"), ==, "0");
        g_assert_null(host_pending(host, "kvm_amd", "npt"));
        g_assert_null(host_pending(host, "kvm", "nested"));
}

/* Another one has another directory in sysfs. */
static void test_a_kvm_that_was_loaded_since_is_not_the_kept_one(Tree *tree, gconstpointer data) {
        const MadeHost made = {.loaded = "kvm.ignore_msrs=N kvm_amd.nested=0", .kvm_kept = true};
        g_autoptr(Host) kept = made_host_read(&made, tree);
        g_autofree char *folder = tree_path(tree, "sys/module/kvm/parameters");
        g_autofree char *gone = tree_path(tree, "sys/module/kvm/gone");

        g_assert_true(kept->kvm_kept);
        g_assert_cmpint(g_rename(folder, gone), ==, 0);
        g_autoptr(Host) without = host_read(tree->root, NULL);
        g_assert_false(without->kvm_kept);
        tree_folder(tree, "sys/module/kvm/parameters");
        g_autoptr(Host) anew = host_read(tree->root, NULL);
        g_assert_false(anew->kvm_kept);
}

static void test_an_empty_folder_is_a_host(Tree *tree, gconstpointer data) {
        g_autoptr(Host) host = host_read(tree->root, NULL);

        g_assert_cmpstr(host->release, ==, "");
        g_assert_cmpstr(host->boot_id, ==, "");
        g_assert_cmpstr(host->device, ==, "missing");
        g_assert_cmpstr(host_nested(host), ==, "unavailable");
        g_assert_cmpstr(host_mmu(host), ==, "");
        g_assert_cmpint(host_module(host, "kvm")->state, ==, MODULE_MISSING);
        g_assert_false(host->modules_disabled || host->kvm_kept || host->degraded || host->journal_damaged ||
                       host->has_module_files);
}

static void test_modules_disabled(void) {
        static const struct {
                MadeHost made;
                bool disabled;
        } cases[] = {
                        {{.modules_disabled = true}, true},
                        {{.cmdline = "nomodule"}, true},
                        {{.cmdline = "quiet\tnomodule\n"}, true},
                        {{.cmdline = "nomodules x=nomodule"}, false},
                        {{.cmdline = ""}, false},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(Host) host = made_host(&cases[i].made);
                g_test_message("%" G_GSIZE_FORMAT, i);
                g_assert_true(host->modules_disabled == cases[i].disabled);
        }
}

static void test_modules_of_the_running_kernel_are_gone(void) {
        const MadeHost made = {.loaded = "kvm_amd.nested=1", .no_module_files = true};
        g_autoptr(Host) host = made_host(&made);

        g_assert_false(host->has_module_files);
}

static void assert_journal(Tree *tree, JournalPhase phase, bool degraded) {
        g_autoptr(Plan) plan = plan_new_empty();

        plan->title = g_strdup("kvm_amd.nested=0");
        plan->boot_id = g_strdup("");
        plan->release = g_strdup("");
        g_assert_true(journal_write(tree->root, plan, phase, NULL));
        g_autoptr(Host) host = host_read(tree->root, NULL);
        g_assert_true(host->degraded == degraded);
        g_assert_false(host->journal_damaged);
}

static void test_what_is_under_way_is_not_degraded(Tree *tree, gconstpointer data) {
        assert_journal(tree, JOURNAL_BEGUN, false);
        assert_journal(tree, JOURNAL_PROVEN, false);
        assert_journal(tree, JOURNAL_DEGRADED, true);
}

static void test_a_journal_that_nobody_understands(Tree *tree, gconstpointer data) {
        tree_write(tree, JOURNAL_PATH, "nonsense");
        g_autoptr(Host) host = host_read(tree->root, NULL);
        g_assert_true(host->journal_damaged);
        g_assert_false(host->degraded);
}

static void test_device(void) {
        const struct {
                int error;
                mode_t mode;
                dev_t rdev;
                const char *verdict;
        } cases[] = {
                        {0, S_IFCHR | 0660, makedev(10, 232), "ok"},
                        {0, S_IFCHR | 0000, makedev(10, 232), "ok"},
                        {0, S_IFCHR | 0666, makedev(10, 200), "wrong-node"},
                        {0, S_IFCHR | 0666, makedev(232, 10), "wrong-node"},
                        {0, S_IFBLK | 0660, makedev(10, 232), "wrong-node"},
                        {0, S_IFREG | 0660, 0, "wrong-node"},
                        {0, S_IFLNK | 0777, 0, "wrong-node"},
                        {0, S_IFDIR | 0755, 0, "wrong-node"},
                        {-ENOENT, 0, 0, "missing"},
                        {-ENOTDIR, 0, 0, "missing"},
                        {-EACCES, 0, 0, "denied"},
                        {-EPERM, 0, 0, "denied"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                const struct stat st = {.st_mode = cases[i].mode, .st_rdev = cases[i].rdev};
                g_test_message("%" G_GSIZE_FORMAT, i);
                g_assert_cmpstr(host_judge_device(cases[i].error, &st), ==, cases[i].verdict);
        }
}

/* A fifo would block whoever opens it, and an open of the real node would pin the module: the test
 * ends, so neither was opened. */
static void test_the_device_is_not_opened(Tree *tree, gconstpointer data) {
        g_autofree char *path = tree_path(tree, "dev/kvm");

        tree_folder(tree, "dev");
        g_assert_cmpint(mkfifo(path, 0600), ==, 0);
        g_autoptr(Host) host = host_read(tree->root, NULL);
        g_assert_cmpstr(host->device, ==, "wrong-node");
        /* Somebody who has it open for reading would let this succeed. */
        g_assert_cmpint(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), ==, -1);
        g_assert_cmpint(errno, ==, ENXIO);
}

typedef struct Fixture {
        const char *name, *vendor, *state, *nested, *mmu;
        bool modules_disabled;
} Fixture;

/* clang-format off */
static const Fixture fixtures[] = {
        { "amd-epyc-6.1",          "kvm_amd",   "live",    "on",          "tdp", false },
        { "intel-haswell-desktop", "kvm_intel", "live",    "on",          "tdp", false },
        { "intel-skylake-server",  "kvm_intel", "live",    "on",          "tdp", false },
        { "builtin-kvm-pvm",       "kvm_pvm",   "builtin", "unavailable", "", true },
        { "no-kvm",                "kvm_intel", "missing", "unavailable", "", false },
        { "modules-disabled",      "kvm_amd",   "live",    "on",          "tdp", true },
};
/* clang-format on */

static void test_fixtures(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(fixtures); i++) {
                const Fixture *f = &fixtures[i];
                Tree tree = {};
                tree_set_up(&tree, f->name);
                g_autoptr(Host) host = host_read(tree.root, NULL);
                g_test_message("%s", f->name);
                g_assert_cmpstr(host_vendor_module(host)->name, ==, f->vendor);
                g_assert_cmpstr(module_state_to_string(host_vendor_module(host)->state), ==, f->state);
                g_assert_cmpstr(host_nested(host), ==, f->nested);
                g_assert_cmpstr(host_mmu(host), ==, f->mmu);
                g_assert_true(host->modules_disabled == f->modules_disabled);
                tree_tear_down(&tree, f->name);
        }
}

#define ADD(path, function) g_test_add(path, Tree, NULL, tree_set_up, function, tree_tear_down)

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *fact = g_strdelimit(g_strdup(rows[i].fact), " ", '-');
                g_autofree char *path = g_strconcat("/host/", fact, NULL);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        ADD("/host/built-in-without-its-device", test_built_in_without_its_device);
        ADD("/host/other-users-of-kvm-are-no-vendor", test_other_users_of_kvm_are_no_vendor);
        ADD("/host/a-module-that-comes-or-goes-is-no-vendor", test_a_module_that_comes_or_goes_is_no_vendor);
        ADD("/host/facts-of-the-kernel", test_facts_of_the_kernel);
        ADD("/host/a-kvm-that-was-loaded-since-is-not-the-kept-one",
            test_a_kvm_that_was_loaded_since_is_not_the_kept_one);
        ADD("/host/an-empty-folder-is-a-host", test_an_empty_folder_is_a_host);
        g_test_add_func("/host/modules-disabled", test_modules_disabled);
        g_test_add_func("/host/modules-of-the-running-kernel-are-gone", test_modules_of_the_running_kernel_are_gone);
        ADD("/host/what-is-under-way-is-not-degraded", test_what_is_under_way_is_not_degraded);
        ADD("/host/a-journal-that-nobody-understands", test_a_journal_that_nobody_understands);
        g_test_add_func("/host/device", test_device);
        ADD("/host/the-device-is-not-opened", test_the_device_is_not_opened);
        g_test_add_func("/host/fixtures", test_fixtures);
        return g_test_run();
}
