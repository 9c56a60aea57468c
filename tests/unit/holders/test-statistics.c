/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Folders as KVM makes them, and what of them is a counter. */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "statistics.h"
#include "tree.h"
#include "vm-folders.h"

#define NOBODY 65534U

#define ONE "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
#define TWO "ffffffff-3dca-4ff9-9a1d-40389758d082"

static const char *const all[] = {NULL};

static void make_vm(const Tree *tree, const char *vm, const char *const *files) {
        for (; *files; files += 2) {
                g_autofree char *path = g_build_filename(VM_FOLDERS_PATH, vm, files[0], NULL);
                tree_write(tree, path, files[1]);
        }
}

#define MAKE_VM(tree, vm, ...) make_vm(tree, vm, (const char *const[]) {__VA_ARGS__, NULL})

/* A set; NULL at its end. */
static GHashTable *set_of(const char *const *uuids) {
        GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (; *uuids; uuids++)
                (void) g_hash_table_add(set, g_strdup(*uuids));
        return set;
}

static Statistics *read_guests(const Tree *tree, const char *const *guests, const char *const *names, GError **error) {
        g_autoptr(GHashTable) set = set_of(guests);

        return statistics_read(tree->root, set, names, error);
}

/* Without libvirt. */
static Statistics *read_all(const Tree *tree, const char *const *names, GError **error) {
        return read_guests(tree, all, names, error);
}

static const VmStatistics *find(const Statistics *statistics, const char *name) {
        for (unsigned i = 0; i < statistics->vms->len; i++) {
                const VmStatistics *vm = g_ptr_array_index(statistics->vms, i);
                if (g_str_equal(vm->name, name))
                        return vm;
        }
        return NULL;
}

/* "exits=7 nested_run=0": what there is of a machine. */
static char *text_of(const Statistics *statistics, const char *name) {
        g_autoptr(GString) text = g_string_new(NULL);
        const VmStatistics *vm = find(statistics, name);

        g_assert_nonnull(vm);
        for (unsigned i = 0; i < vm->counters->len; i++) {
                const Counter *counter = g_ptr_array_index(vm->counters, i);
                g_string_append_printf(text, "%s%s=%" G_GUINT64_FORMAT, text->len > 0 ? " " : "", counter->name,
                                       counter->value);
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}

/* "A-1 B-2": the machines. */
static char *names_of(const Statistics *statistics) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < statistics->vms->len; i++)
                g_string_append_printf(text, "%s%s", i > 0 ? " " : "",
                                       ((const VmStatistics *) g_ptr_array_index(statistics->vms, i))->name);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_counters(Tree *tree, gconstpointer data) {
        MAKE_VM(tree, "812-13", "nested_run", "321\n", "exits", "18446744073709551615\n", "guest_mode", "0\n",
                "vcpu0/pid", "814\n", "mmu_rmaps_stat", "1\n", "halt_wait_hist", "9\n", "mystery", "many\n", "negative",
                "-1\n");
        MAKE_VM(tree, "99-4", "exits", "5\n", "request_irq", "6\n");
        MAKE_VM(tree, "812-", "exits", "1\n");
        MAKE_VM(tree, "812-13-14", "exits", "1\n");
        tree_write(tree, VM_FOLDERS_PATH "/exits", "6\n");
        tree_folder(tree, VM_FOLDERS_PATH "/813-1");

        g_autoptr(GError) error = NULL;
        g_autoptr(Statistics) vms = read_all(tree, all, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(vms->vms->len, ==, 2);
        g_assert_cmpstr(((const VmStatistics *) g_ptr_array_index(vms->vms, 0))->name, ==, "812-13");
        g_assert_cmpstr(((const VmStatistics *) g_ptr_array_index(vms->vms, 0))->reason, ==, "");
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
        g_autoptr(Statistics) vms = read_all(tree, one, &first);
        g_assert_no_error(first);
        g_assert_cmpuint(vms->vms->len, ==, 1);
        g_autofree char *text = text_of(vms, "99-4");
        g_assert_cmpstr(text, ==, "exits=2");
        g_assert_null(read_all(tree, gone, &second));
        g_assert_error(second, CONDITION, CONDITION_NO_SUCH_GUEST);
        g_assert_nonnull(strstr(second->message, "99-5"));
        g_assert_null(read_all(tree, odd, &third));
        g_assert_error(third, CONDITION, CONDITION_NO_SUCH_GUEST);
}

static void test_out_of_reach(Tree *tree, gconstpointer data) {
        g_autoptr(GError) none = NULL, unmounted = NULL, no_kvm = NULL;

        g_assert_null(read_all(tree, all, &none));
        g_assert_error(none, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_nonnull(strstr(none->message, "no debugfs"));

        tree_folder(tree, "sys/kernel/debug");
        g_assert_null(read_all(tree, all, &unmounted));
        g_assert_error(unmounted, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_nonnull(strstr(unmounted->message, "mount -t debugfs debugfs /sys/kernel/debug"));

        tree_folder(tree, "sys/kernel/debug/bdi");
        g_autoptr(Statistics) vms = read_all(tree, all, &no_kvm);
        g_assert_no_error(no_kvm);
        g_assert_cmpuint(vms->vms->len, ==, 0);
}

/* Nobody keeps root from reading a file of the tree: the reader is somebody else. */
static Statistics *read_as_nobody(const Tree *tree, const char *const *guests, GError **error) {
        const uid_t uid = geteuid();

        if (uid == 0)
                g_assert_cmpint(seteuid(NOBODY), ==, 0);
        Statistics *vms = read_guests(tree, guests, all, error);
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
        close_to_others(tree, VM_FOLDERS_PATH "/812-13/exits", 0);
        close_to_others(tree, VM_FOLDERS_PATH "/812-13/nested_run", 0);
        g_autoptr(Statistics) vms = read_as_nobody(tree, all, &first);
        g_assert_no_error(first);
        const VmStatistics *vm = g_ptr_array_index(vms->vms, 0);
        g_autofree char *text = text_of(vms, "812-13");
        g_assert_cmpstr(text, ==, "guest_mode=1");
        g_assert_cmpuint(vm->withheld->len, ==, 2);
        g_assert_cmpstr(g_ptr_array_index(vm->withheld, 0), ==, "exits");
        g_assert_cmpstr(g_ptr_array_index(vm->withheld, 1), ==, "nested_run");
        g_assert_nonnull(strstr(vm->reason, "a security module"));

        tree_write(tree, "sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        g_autoptr(Statistics) locked = read_as_nobody(tree, all, &second);
        g_assert_no_error(second);
        vm = g_ptr_array_index(locked->vms, 0);
        g_assert_nonnull(strstr(vm->reason, "locked down (/sys/kernel/security/lockdown: integrity)"));

        close_to_others(tree, "sys/kernel/debug", 0);
        g_assert_null(read_as_nobody(tree, all, &third));
        g_assert_error(third, CONDITION, CONDITION_NOT_PERMITTED);
        close_to_others(tree, "sys/kernel/debug", 0755);
}

static void test_too_many(Tree *tree, gconstpointer data) {
        static const char *const one[] = {"7-3", NULL};
        g_autoptr(GError) first = NULL, second = NULL;

        MAKE_VM(tree, "7-3", "exits", "1\n");
        g_autofree char *folder = tree_path(tree, VM_FOLDERS_PATH);
        for (unsigned i = 0; i <= STATISTICS_MAX; i++) {
                g_autofree char *vm = g_strdup_printf("%s/%u-3", folder, i);
                g_assert_true(mkdir(vm, 0755) == 0 || i == 7);
        }
        g_assert_null(read_all(tree, all, &first));
        g_assert_error(first, CONDITION, CONDITION_LIMITS_EXCEEDED);
        g_autoptr(Statistics) vms = read_all(tree, one, &second);
        g_assert_no_error(second);
        g_assert_cmpuint(vms->vms->len, ==, 1);
}

static void say_uuid(const Tree *tree, unsigned pid, const char *option, const char *uuid) {
        g_autofree char *path = g_strdup_printf("proc/%u/cmdline", pid), *absolute = tree_path(tree, path);
        g_autofree char *folder = g_path_get_dirname(absolute);
        g_autoptr(GString) text = g_string_new(NULL);
        const char *const arguments[] = {"/usr/bin/qemu-system-x86_64", "-name", "guest=web1", option, uuid};

        for (unsigned i = 0; i < G_N_ELEMENTS(arguments); i++)
                g_string_append_len(text, arguments[i], (gssize) strlen(arguments[i]) + 1);
        g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
        g_assert_true(g_file_set_contents(absolute, text->str, (gssize) text->len, NULL));
}

/* A guest goes by its UUID when one process says so, whatever it may be called besides. */
static void test_guests(Tree *tree, gconstpointer data) {
        static const char *const guests[] = {ONE, TWO, NULL}, *const one[] = {ONE, NULL}, *const two[] = {TWO, NULL};
        static const char *const folder[] = {"812-13", NULL};
        g_autoptr(GError) error = NULL;

        MAKE_VM(tree, "812-13", "exits", "1\n");
        MAKE_VM(tree, "99-4", "exits", "2\n");
        MAKE_VM(tree, "100-4", "exits", "3\n");
        say_uuid(tree, 812, "-uuid", ONE);
        say_uuid(tree, 99, "-uuid", "00000000-3dca-4ff9-9a1d-40389758d081");
        say_uuid(tree, 100, "-smbios", TWO);
        g_autoptr(Statistics) vms = read_guests(tree, one, all, &error), by_uuid = read_guests(tree, one, one, &error);
        g_autoptr(Statistics) by_folder = read_guests(tree, one, folder, &error), none = read_all(tree, all, &error);
        g_assert_no_error(error);
        g_autofree char *names = names_of(vms), *named = names_of(by_uuid), *found = names_of(by_folder);
        g_autofree char *without = names_of(none), *text = text_of(vms, ONE);
        g_assert_cmpstr(names, ==, "100-4 " ONE " 99-4");
        g_assert_cmpstr(named, ==, ONE);
        g_assert_cmpstr(found, ==, ONE);
        g_assert_cmpstr(without, ==, "100-4 812-13 99-4");
        g_assert_cmpstr(text, ==, "exits=1");
        g_assert_cmpstr(find(vms, ONE)->machine, ==, "812-13");
        g_autoptr(GPtrArray) lacking = statistics_lacking(vms);
        g_assert_cmpuint(lacking->len, ==, 0);

        g_assert_null(read_guests(tree, one, two, &error));
        g_assert_error(error, CONDITION, CONDITION_NO_SUCH_GUEST);

        /* Two that say so: neither is believed, and what the guest does has to be asked for. */
        say_uuid(tree, 100, "--uuid", "3B5B08E4-3DCA-4FF9-9A1D-40389758D081");
        g_autoptr(Statistics) both = read_guests(tree, guests, all, NULL);
        g_autofree char *doubtful = names_of(both);
        g_assert_cmpstr(doubtful, ==, "100-4 " ONE " 812-13 99-4 " TWO);
        g_assert_null(find(both, ONE)->machine);
        g_autoptr(GPtrArray) asked = statistics_lacking(both);
        g_assert_cmpuint(asked->len, ==, 2);
}

/* "exits=7 guest_mode=1" */
static GHashTable *counters_of(const char *uuid, const char *text) {
        GHashTable *all_counters =
                        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_hash_table_unref);
        GHashTable *counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_auto(GStrv) words = g_strsplit_set(text, " =", -1);

        for (unsigned i = 0; words[i] && words[i + 1]; i += 2) {
                guint64 *value = g_new(guint64, 1);
                *value = g_ascii_strtoull(words[i + 1], NULL, 10);
                g_hash_table_insert(counters, g_strdup(words[i]), value);
        }
        g_hash_table_insert(all_counters, (gpointer) uuid, counters);
        return all_counters;
}

static Statistics *read_withheld(const Tree *tree) {
        static const char *const one[] = {ONE, NULL};
        g_autoptr(GError) error = NULL;
        Statistics *vms = read_as_nobody(tree, one, &error);
        g_autoptr(GPtrArray) lacking = statistics_lacking(vms);

        g_assert_no_error(error);
        g_assert_cmpuint(lacking->len, ==, 1);
        g_assert_cmpstr(g_ptr_array_index(lacking, 0), ==, ONE);
        return vms;
}

static void test_filled(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) late = g_error_new(CONDITION, CONDITION_TIMED_OUT, "libvirt sleeps");

        MAKE_VM(tree, "812-13", "exits", "1\n", "guest_mode", "1\n", "nested_run", "2\n");
        MAKE_VM(tree, "99-4", "exits", "1\n");
        say_uuid(tree, 812, "-uuid", ONE);
        close_to_others(tree, "", 0755);
        close_to_others(tree, VM_FOLDERS_PATH "/812-13/exits", 0);
        close_to_others(tree, VM_FOLDERS_PATH "/812-13/nested_run", 0);
        close_to_others(tree, VM_FOLDERS_PATH "/99-4/exits", 0);

        g_autoptr(GHashTable) whole = counters_of(ONE, "exits=10 guest_mode=5 nested_run=20 remote=3 halt_wait_hist=4");
        g_autoptr(Statistics) filled = read_withheld(tree);
        g_assert_true(statistics_complete(filled, whole, NULL, &error));
        g_autofree char *text = text_of(filled, ONE);
        g_assert_cmpstr(text, ==, "exits=10 guest_mode=1 nested_run=20 remote=3");
        g_assert_cmpuint(find(filled, ONE)->withheld->len, ==, 0);
        g_assert_cmpstr(find(filled, ONE)->reason, ==, "");
        g_assert_cmpuint(find(filled, "99-4")->withheld->len, ==, 1);
        g_assert_null(strstr(find(filled, "99-4")->reason, "libvirt"));

        g_autoptr(GHashTable) half = counters_of(ONE, "exits=10");
        g_autoptr(Statistics) part = read_withheld(tree);
        g_assert_true(statistics_complete(part, half, NULL, &error));
        g_assert_cmpuint(find(part, ONE)->withheld->len, ==, 1);
        g_assert_true(g_str_has_suffix(find(part, ONE)->reason, "Nor does libvirt tell them"));

        g_autoptr(Statistics) unanswered = read_withheld(tree);
        g_assert_true(statistics_complete(unanswered, NULL, late, &error));
        g_assert_cmpuint(find(unanswered, ONE)->withheld->len, ==, 2);
        g_assert_true(g_str_has_suffix(find(unanswered, ONE)->reason, "Nor does libvirt tell them: libvirt sleeps"));
}

static void check_nothing(const Tree *tree, const char *const *names, const GError *problem, int code,
                          const char *words) {
        static const char *const one[] = {ONE, NULL};
        g_autoptr(Statistics) vms = read_guests(tree, one, names, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_false(statistics_complete(vms, NULL, problem, &error));
        g_assert_error(error, CONDITION, code);
        g_assert_nonnull(strstr(error->message, words));
}

/* Of a guest debugfs may say nothing at all. */
static void test_no_folder(Tree *tree, gconstpointer data) {
        static const char *const one[] = {ONE, NULL}, *const mixed[] = {ONE, "99-4", NULL};
        g_autoptr(GError) late = g_error_new(CONDITION, CONDITION_TIMED_OUT, "libvirt sleeps"), error = NULL;
        g_autoptr(GHashTable) counters = counters_of(ONE, "exits=10");

        tree_folder(tree, "sys/kernel/debug");
        g_autoptr(Statistics) unmounted = read_guests(tree, one, all, &error);
        g_assert_true(statistics_complete(unmounted, counters, NULL, &error));
        g_autofree char *text = text_of(unmounted, ONE);
        g_assert_cmpstr(text, ==, "exits=10");
        check_nothing(tree, all, late, CONDITION_TIMED_OUT, "mount -t debugfs");
        check_nothing(tree, all, NULL, CONDITION_UNSUPPORTED, "mount -t debugfs");
        check_nothing(tree, one, NULL, CONDITION_UNSUPPORTED, "mount -t debugfs");
        g_assert_null(read_guests(tree, one, mixed, &error));
        g_assert_error(error, CONDITION, CONDITION_UNSUPPORTED);

        MAKE_VM(tree, "99-4", "exits", "1\n");
        check_nothing(tree, one, NULL, CONDITION_NO_SUCH_GUEST, ONE);
        check_nothing(tree, one, late, CONDITION_TIMED_OUT, "libvirt sleeps");
        /* It may have ended just now; the other one's are an answer. */
        g_autoptr(Statistics) rest = read_guests(tree, one, all, NULL);
        g_assert_true(statistics_complete(rest, NULL, late, NULL));
        g_autofree char *names = names_of(rest);
        g_assert_cmpstr(names, ==, "99-4");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/statistics/counters", Tree, NULL, tree_set_up, test_counters, tree_tear_down);
        g_test_add("/statistics/names", Tree, NULL, tree_set_up, test_names, tree_tear_down);
        g_test_add("/statistics/out-of-reach", Tree, NULL, tree_set_up, test_out_of_reach, tree_tear_down);
        g_test_add("/statistics/withheld", Tree, NULL, tree_set_up, test_withheld, tree_tear_down);
        g_test_add("/statistics/guests", Tree, NULL, tree_set_up, test_guests, tree_tear_down);
        g_test_add("/statistics/filled", Tree, NULL, tree_set_up, test_filled, tree_tear_down);
        g_test_add("/statistics/no-folder", Tree, NULL, tree_set_up, test_no_folder, tree_tear_down);
        g_test_add("/statistics/too-many", Tree, NULL, tree_set_up, test_too_many, tree_tear_down);
        return g_test_run();
}
