/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files beneath a root: nothing leads out of it, nothing is read without an end, and a file is
 * replaced whole or not at all. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"
#include "tree.h"

#define PATH "etc/modprobe.d/x.conf"
#define STAGED "etc/modprobe.d/.x.conf.new"

/* What was synced and renamed, in this order; these two stand before those of the C library. */
static GString *order;
static bool disk_full;

int fsync(int fd) {
        struct stat st;

        if (order && fstat(fd, &st) >= 0)
                g_string_append(order, S_ISDIR(st.st_mode) ? "sync-folder " : "sync-file ");
        if (disk_full) {
                errno = ENOSPC;
                return -1;
        }
        return (int) syscall(SYS_fsync, fd);
}

int renameat(int from, const char *name, int to, const char *other) {
        if (order)
                g_string_append(order, "rename ");
        return (int) syscall(SYS_renameat2, from, name, to, other, 0);
}

static void assert_file(const Tree *tree, const char *path, const char *text) {
        g_autofree char *found = tree_read(tree, path);

        g_assert_cmpstr(found, ==, text);
}

static void assert_mode(const Tree *tree, const char *path, mode_t mode) {
        g_autofree char *full = tree_path(tree, path);
        struct stat st;

        g_assert_cmpint(lstat(full, &st), ==, 0);
        g_assert_cmpuint(st.st_mode & 07777, ==, mode);
}

static void test_machine(void) {
        g_autoptr(Root) slash = root_new("/", NULL, NULL), other = root_new("/proc/..", NULL, NULL),
                        proc = root_new("/proc", NULL, NULL);
        g_autoptr(GError) error = NULL;

        g_assert_true(root_is_machine(slash));
        g_assert_true(root_is_machine(other));
        g_assert_false(root_is_machine(proc));
        g_assert_null(root_new("/nonexistent/root", NULL, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        g_assert_nonnull(strstr(error->message, "/nonexistent/root"));
}

static void test_nothing_leads_out(Tree *tree, gconstpointer data) {
        g_autofree char *text = NULL, *absolute = NULL, *outside = NULL;

        tree_write(tree, "etc/passwd", "inside\n");
        tree_link(tree, "absolute", "/etc/passwd");
        tree_link(tree, "upwards", "../../../../../../../../etc/passwd");
        tree_link(tree, "folder", "/etc");
        tree_link(tree, "machine", "/proc/self/root/etc/passwd");
        tree_link(tree, "loop", "loop");
        for (const char *const *path = (const char *const[]) {"absolute", "upwards", "folder/passwd",
                                                              "../../../etc/passwd", "/etc/passwd", NULL};
             *path; path++) {
                g_autofree char *line = root_read_line(tree->root, *path);

                g_assert_cmpstr(line, ==, "inside");
        }
        g_assert_null(root_read_line(tree->root, "machine"));
        g_assert_null(root_read_line(tree->root, "loop"));
        g_assert_cmpint(root_open(tree->root, "loop", O_RDONLY), ==, -ELOOP);
        absolute = root_absolute(tree->root, "etc/passwd");
        outside = tree_path(tree, "etc/passwd");
        g_assert_cmpstr(absolute, ==, outside);
        text = root_read_link(tree->root, "upwards");
        g_assert_cmpstr(text, ==, "../../../../../../../../etc/passwd");
        g_assert_null(root_read_link(tree->root, "etc/passwd"));
        g_assert_null(root_read_link(tree->root, "nothing"));
}

/* Writing through a link inside the root must stay inside, too. */
static void test_writes_stay_inside(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        tree_folder(tree, "tmp/elsewhere");
        tree_link(tree, "var/lib", "/tmp/elsewhere");
        g_assert_true(file_write(tree->root, "var/lib/nestvirt/change", "text", &error));
        assert_file(tree, "tmp/elsewhere/nestvirt/change", "text");
        g_assert_false(g_file_test("/tmp/elsewhere/nestvirt", G_FILE_TEST_EXISTS));
}

static void test_read_is_bounded(Tree *tree, gconstpointer data) {
        g_autofree char *big = g_malloc(10001), *text = NULL, *whole = NULL;
        g_autoptr(GError) error = NULL, missing = NULL, folder = NULL;
        size_t size = 0;

        memset(big, 'x', 10001);
        big[5000] = 0;
        tree_write_bytes(tree, "fits", big, 10000);
        tree_write_bytes(tree, "long", big, 10001);
        tree_write_bytes(tree, "empty", "", 0);
        g_assert_true(root_read(tree->root, "fits", 10000, &text, &size, &error));
        g_assert_cmpmem(text, size, big, 10000);
        g_assert_true(text[size] == 0);
        g_assert_false(root_read(tree->root, "long", 10000, &whole, NULL, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
        g_assert_nonnull(strstr(error->message, "10000 bytes"));
        g_assert_true(root_read(tree->root, "empty", 0, &whole, &size, NULL));
        g_assert_cmpuint(size, ==, 0);
        g_assert_cmpstr(whole, ==, "");
        g_assert_false(root_read(tree->root, "nothing", 10, &whole, NULL, &missing));
        g_assert_error(missing, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        g_assert_false(root_read(tree->root, ".", 10, &whole, NULL, &folder));
        g_assert_error(folder, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
}

/* Nobody ever writes into it, so a reader that opened it the usual way would not come back. */
static void test_fifo_does_not_block(Tree *tree, gconstpointer data) {
        g_autofree char *path = tree_path(tree, "fifo"), *text = NULL;
        g_autoptr(GError) error = NULL, poke = NULL;

        g_assert_cmpint(mkfifo(path, 0644), ==, 0);
        g_assert_false(root_read(tree->root, "fifo", 100, &text, NULL, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NXIO);
        g_assert_null(root_read_line(tree->root, "fifo"));
        g_assert_false(file_poke(tree->root, "fifo", "1", &poke));
        g_assert_error(poke, G_FILE_ERROR, G_FILE_ERROR_NXIO);
}

static void test_read_line(Tree *tree, gconstpointer data) {
        static const struct {
                const char *text, *line;
        } cases[] = {{"Y\n", "Y"},          {"", ""},         {"\n", ""},
                     {"one\ntwo\n", "one"}, {"bare", "bare"}, {"\xff\n", "\xef\xbf\xbd"}};

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *line = NULL;

                tree_write(tree, "line", cases[i].text);
                line = root_read_line(tree->root, "line");
                g_assert_cmpstr(line, ==, cases[i].line);
        }
        g_assert_null(root_read_line(tree->root, "nothing"));
}

static void test_list(Tree *tree, gconstpointer data) {
        g_auto(GStrv) none = root_list(tree->root, "nothing"), names = NULL;

        for (const char *const *name = (const char *const[]) {"b", "a.conf", "B", "-", ".x", "10", "9", NULL}; *name;
             name++) {
                g_autofree char *path = g_build_filename("folder", *name, NULL);

                tree_write(tree, path, "");
        }
        names = root_list(tree->root, "folder");
        g_assert_true(g_strv_equal((const char *const *) names,
                                   (const char *const[]) {"-", ".x", "10", "9", "B", "a.conf", "b", NULL}));
        g_assert_cmpuint(g_strv_length(none), ==, 0);
}

static void test_stage_is_invisible(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;
        mode_t before = umask(077);

        g_assert_true(file_stage(tree->root, PATH, "new", &error));
        assert_file(tree, PATH, NULL);
        assert_file(tree, STAGED, "new");
        assert_mode(tree, STAGED, 0644);
        assert_mode(tree, "etc/modprobe.d", 0755);
        assert_mode(tree, "etc", 0755);
        umask(before);
        g_assert_true(file_is_staged(tree->root, PATH));
        g_assert_true(file_publish(tree->root, PATH, &error));
        g_assert_false(file_is_staged(tree->root, PATH));
        assert_file(tree, PATH, "new");
        g_assert_true(file_stage(tree->root, PATH, "newer", &error));
        assert_file(tree, PATH, "new");
        g_assert_true(file_discard(tree->root, PATH, &error));
        assert_file(tree, STAGED, NULL);
        assert_file(tree, PATH, "new");
        g_assert_no_error(error);
}

static void test_nothing_staged_is_fine(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        g_assert_true(file_publish(tree->root, PATH, &error));
        g_assert_true(file_discard(tree->root, PATH, &error));
        g_assert_true(file_remove(tree->root, PATH, &error));
        g_assert_false(file_is_staged(tree->root, PATH));
        tree_write(tree, PATH, "old");
        g_assert_true(file_publish(tree->root, PATH, &error));
        g_assert_true(file_discard(tree->root, PATH, &error));
        assert_file(tree, PATH, "old");
        g_assert_true(file_remove(tree->root, PATH, &error));
        assert_file(tree, PATH, NULL);
}

/* The text before it gets its name; after that, unless it may wait, the folder. */
static void test_order_on_disk(Tree *tree, gconstpointer data) {
        g_autoptr(GString) log = g_string_new(NULL);
        g_autoptr(GError) error = NULL;

        tree_folder(tree, "etc/modprobe.d");
        order = log;
        g_assert_true(file_stage(tree->root, PATH, "text", &error));
        g_assert_true(file_discard(tree->root, PATH, &error));
        g_assert_cmpstr(log->str, ==, "sync-file ");
        g_assert_true(file_stage(tree->root, PATH, "text", &error));
        g_assert_true(file_publish_soon(tree->root, PATH, &error));
        g_assert_true(file_remove_soon(tree->root, PATH, &error));
        g_assert_cmpstr(log->str, ==, "sync-file sync-file rename ");
        g_assert_true(file_stage(tree->root, PATH, "text", &error));
        g_string_truncate(log, 0);
        g_assert_true(file_publish(tree->root, PATH, &error));
        g_assert_cmpstr(log->str, ==, "rename sync-folder ");
        g_string_truncate(log, 0);
        g_assert_true(file_remove(tree->root, PATH, &error));
        g_assert_cmpstr(log->str, ==, "sync-folder ");
        order = NULL;
}

static void test_full_disk_leaves_the_old_one(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        tree_write(tree, PATH, "old");
        disk_full = true;
        g_assert_false(file_write(tree->root, PATH, "new", &error));
        disk_full = false;
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
        assert_file(tree, PATH, "old");
        assert_file(tree, STAGED, NULL);
}

/* Whatever has the temporary name is replaced, never written through. */
static void test_leftovers(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL, folder = NULL, file = NULL;

        tree_write(tree, "victim", "untouched");
        tree_link(tree, STAGED, "../../victim");
        g_assert_true(file_write(tree->root, PATH, "new", &error));
        assert_file(tree, "victim", "untouched");
        assert_file(tree, PATH, "new");
        tree_folder(tree, STAGED);
        g_assert_false(file_stage(tree->root, PATH, "newer", &folder));
        g_assert_error(folder, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
        g_assert_nonnull(strstr(folder->message, PATH));
        g_assert_false(file_stage(tree->root, "victim/x", "newer", &file));
        g_assert_error(file, G_FILE_ERROR, G_FILE_ERROR_NOTDIR);
        assert_file(tree, PATH, "new");
}

static void test_poke(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        tree_write(tree, "parameter", "200000\n");
        g_assert_true(file_poke(tree->root, "parameter", "10", &error));
        assert_file(tree, "parameter", "10");
        g_assert_false(file_poke(tree->root, "missing", "10", &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        assert_file(tree, "missing", NULL);
}

static void test_devices(Tree *tree, gconstpointer data) {
        g_autofree char *folder = tree_path(tree, "host-dev"), *shown = NULL, *own = NULL, *other = NULL;
        g_autoptr(Root) root = root_new(tree->directory, folder, NULL);
        struct stat st;

        tree_write(tree, "host-dev/kvm", "");
        tree_link(tree, "host-dev/link", "kvm");
        g_assert_cmpint(root_stat_device(tree->root, "kvm", &st), ==, -ENOENT);
        g_assert_cmpint(root_stat_device(root, "kvm", &st), ==, 0);
        g_assert_true(S_ISREG(st.st_mode));
        g_assert_cmpint(root_stat_device(root, "link", &st), ==, 0);
        g_assert_true(S_ISLNK(st.st_mode));
        g_assert_cmpint(root_stat_device(root, "../host-dev/kvm", &st), ==, -EINVAL);
        tree_write(tree, "dev/kvm", "");
        g_assert_cmpint(root_stat_device(tree->root, "kvm", &st), ==, 0);
        shown = root_device_path(root, "kvm");
        other = tree_path(tree, "host-dev/kvm");
        g_assert_cmpstr(shown, ==, other);
        own = root_device_path(tree->root, "kvm");
        g_assert_true(g_str_has_suffix(own, "/dev/kvm"));
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name;
                void (*run)(Tree *tree, gconstpointer data);
        } tests[] = {
                        {"nothing-leads-out", test_nothing_leads_out},
                        {"writes-stay-inside", test_writes_stay_inside},
                        {"read-is-bounded", test_read_is_bounded},
                        {"fifo-does-not-block", test_fifo_does_not_block},
                        {"read-line", test_read_line},
                        {"list", test_list},
                        {"stage-is-invisible", test_stage_is_invisible},
                        {"nothing-staged-is-fine", test_nothing_staged_is_fine},
                        {"order-on-disk", test_order_on_disk},
                        {"full-disk-leaves-the-old-one", test_full_disk_leaves_the_old_one},
                        {"leftovers", test_leftovers},
                        {"poke", test_poke},
                        {"devices", test_devices},
        };

        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/root/machine", test_machine);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/root/", tests[i].name, NULL);

                g_test_add(path, Tree, NULL, tree_set_up, tests[i].run, tree_tear_down);
        }
        return g_test_run();
}
