/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders as KVM makes them, and what of them is a counter. */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "statistics.h"
#include "tree.h"

#define NOBODY 65534U

static const char *const all[] = {NULL};

static void make_vm(const Tree *tree, const char *vm, const char *const *files) {
        for (; *files; files += 2) {
                g_autofree char *path = g_build_filename(STATISTICS_PATH, vm, files[0], NULL);
                tree_write(tree, path, files[1]);
        }
}

#define MAKE_VM(tree, vm, ...) make_vm(tree, vm, (const char *const[]) {__VA_ARGS__, NULL})

/* "exits=7 nested_run=0": what there is of a machine. */
static char *text_of(const GPtrArray *vms, const char *name) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < vms->len; i++) {
                const VmStatistics *vm = g_ptr_array_index(vms, i);
                for (unsigned j = 0; g_str_equal(vm->name, name) && j < vm->counters->len; j++) {
                        const Counter *counter = g_ptr_array_index(vm->counters, j);
                        g_string_append_printf(text, "%s%s=%" G_GUINT64_FORMAT, text->len > 0 ? " " : "", counter->name,
                                               counter->value);
                }
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_counters(Tree *tree, gconstpointer data) {
        MAKE_VM(tree, "812-13", "nested_run", "321\n", "exits", "18446744073709551615\n", "guest_mode", "0\n",
                "vcpu0/pid", "814\n", "mmu_rmaps_stat", "1\n", "halt_wait_hist", "9\n", "mystery", "many\n", "negative",
                "-1\n");
        MAKE_VM(tree, "99-4", "exits", "5\n", "request_irq", "6\n");
        MAKE_VM(tree, "812-", "exits", "1\n");
        MAKE_VM(tree, "812-13-14", "exits", "1\n");
        tree_write(tree, STATISTICS_PATH "/exits", "6\n");
        tree_folder(tree, STATISTICS_PATH "/813-1");

        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) vms = statistics_read(tree->root, all, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(vms->len, ==, 2);
        g_assert_cmpstr(((const VmStatistics *) g_ptr_array_index(vms, 0))->name, ==, "812-13");
        g_assert_cmpstr(((const VmStatistics *) g_ptr_array_index(vms, 0))->reason, ==, "");
        g_autofree char *first = text_of(vms, "812-13"), *second = text_of(vms, "99-4");
        g_assert_cmpstr(first, ==, "exits=18446744073709551615 guest_mode=0 nested_run=321");
        g_assert_cmpstr(second, ==, "exits=5 request_irq=6");
}

static void test_names(Tree *tree, gconstpointer data) {
        static const char *const one[] = {"99-4", NULL}, *const gone[] = {"99-4", "99-5", NULL};
        static const char *const odd[] = {"../kvm", NULL};
        g_autoptr(GError) first = NULL, second = NULL, third = NULL;

        MAKE_VM(tree, "812-13", "exits", "1\n");
        MAKE_VM(tree, "99-4", "exits", "2\n");
        g_autoptr(GPtrArray) vms = statistics_read(tree->root, one, &first);
        g_assert_no_error(first);
        g_assert_cmpuint(vms->len, ==, 1);
        g_autofree char *text = text_of(vms, "99-4");
        g_assert_cmpstr(text, ==, "exits=2");
        g_assert_null(statistics_read(tree->root, gone, &second));
        g_assert_error(second, CONDITION, CONDITION_NO_SUCH_GUEST);
        g_assert_nonnull(strstr(second->message, "99-5"));
        g_assert_null(statistics_read(tree->root, odd, &third));
        g_assert_error(third, CONDITION, CONDITION_NO_SUCH_GUEST);
}

static void test_out_of_reach(Tree *tree, gconstpointer data) {
        g_autoptr(GError) none = NULL, unmounted = NULL, no_kvm = NULL;

        g_assert_null(statistics_read(tree->root, all, &none));
        g_assert_error(none, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_nonnull(strstr(none->message, "no debugfs"));

        tree_folder(tree, "sys/kernel/debug");
        g_assert_null(statistics_read(tree->root, all, &unmounted));
        g_assert_error(unmounted, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_nonnull(strstr(unmounted->message, "mount -t debugfs debugfs /sys/kernel/debug"));

        tree_folder(tree, "sys/kernel/debug/bdi");
        g_autoptr(GPtrArray) vms = statistics_read(tree->root, all, &no_kvm);
        g_assert_no_error(no_kvm);
        g_assert_cmpuint(vms->len, ==, 0);
}

/* Nobody keeps root from reading a file of the tree: the reader is somebody else. */
static GPtrArray *read_as_nobody(const Tree *tree, GError **error) {
        const uid_t uid = geteuid();

        if (uid == 0)
                g_assert_cmpint(seteuid(NOBODY), ==, 0);
        GPtrArray *vms = statistics_read(tree->root, all, error);
        g_assert_cmpint(seteuid(uid), ==, 0);
        return vms;
}

static void close_to_others(const Tree *tree, const char *path, mode_t mode) {
        g_autofree char *absolute = tree_path(tree, path);

        g_assert_cmpint(chmod(absolute, mode), ==, 0);
}

static void test_withheld(Tree *tree, gconstpointer data) {
        g_autoptr(GError) first = NULL, second = NULL, third = NULL;

        MAKE_VM(tree, "812-13", "exits", "1\n", "guest_mode", "1\n", "nested_run", "2\n");
        close_to_others(tree, "", 0755);
        close_to_others(tree, STATISTICS_PATH "/812-13/exits", 0);
        close_to_others(tree, STATISTICS_PATH "/812-13/nested_run", 0);
        g_autoptr(GPtrArray) vms = read_as_nobody(tree, &first);
        g_assert_no_error(first);
        const VmStatistics *vm = g_ptr_array_index(vms, 0);
        g_autofree char *text = text_of(vms, "812-13");
        g_assert_cmpstr(text, ==, "guest_mode=1");
        g_assert_cmpuint(vm->withheld->len, ==, 2);
        g_assert_cmpstr(g_ptr_array_index(vm->withheld, 0), ==, "exits");
        g_assert_cmpstr(g_ptr_array_index(vm->withheld, 1), ==, "nested_run");
        g_assert_nonnull(strstr(vm->reason, "a security module"));

        tree_write(tree, "sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        g_autoptr(GPtrArray) locked = read_as_nobody(tree, &second);
        g_assert_no_error(second);
        vm = g_ptr_array_index(locked, 0);
        g_assert_nonnull(strstr(vm->reason, "locked down (/sys/kernel/security/lockdown: integrity)"));

        close_to_others(tree, "sys/kernel/debug", 0);
        g_assert_null(read_as_nobody(tree, &third));
        g_assert_error(third, CONDITION, CONDITION_NOT_PERMITTED);
        close_to_others(tree, "sys/kernel/debug", 0755);
}

static void test_too_many(Tree *tree, gconstpointer data) {
        static const char *const one[] = {"7-3", NULL};
        g_autoptr(GError) first = NULL, second = NULL;

        MAKE_VM(tree, "7-3", "exits", "1\n");
        g_autofree char *folder = tree_path(tree, STATISTICS_PATH);
        for (unsigned i = 0; i <= STATISTICS_MAX; i++) {
                g_autofree char *vm = g_strdup_printf("%s/%u-3", folder, i);
                g_assert_true(mkdir(vm, 0755) == 0 || i == 7);
        }
        g_assert_null(statistics_read(tree->root, all, &first));
        g_assert_error(first, CONDITION, CONDITION_LIMITS_EXCEEDED);
        g_autoptr(GPtrArray) vms = statistics_read(tree->root, one, &second);
        g_assert_no_error(second);
        g_assert_cmpuint(vms->len, ==, 1);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/statistics/counters", Tree, NULL, tree_set_up, test_counters, tree_tear_down);
        g_test_add("/statistics/names", Tree, NULL, tree_set_up, test_names, tree_tear_down);
        g_test_add("/statistics/out-of-reach", Tree, NULL, tree_set_up, test_out_of_reach, tree_tear_down);
        g_test_add("/statistics/withheld", Tree, NULL, tree_set_up, test_withheld, tree_tear_down);
        g_test_add("/statistics/too-many", Tree, NULL, tree_set_up, test_too_many, tree_tear_down);
        return g_test_run();
}
