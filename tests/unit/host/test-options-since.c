/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an event can't have changed is not read again; whatever somebody changes by hand is. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpuinfo.h"
#include "options.h"
#include "tree.h"

#define FILE_A "etc/modprobe.d/a.conf"
#define FILE_B "usr/lib/modprobe.d/b.conf"

/* Until the clock of the files is well past what the tree has been given: what has just been
 * changed proves nothing. */
static void settle(const Tree *tree) {
        g_autofree char *path = tree_path(tree, "clock");
        struct stat first, now;

        tree_write(tree, "clock", "");
        g_assert_no_errno(stat(path, &first));
        do {
                g_assert_no_errno(chmod(path, 0600));
                g_assert_no_errno(stat(path, &now));
        } while ((now.st_ctim.tv_sec - first.st_ctim.tv_sec) * 1000 +
                                 (now.st_ctim.tv_nsec - first.st_ctim.tv_nsec) / 1000000 <
                 150);
}

static void rename_in(const Tree *tree, const char *from, const char *to) {
        g_autofree char *a = tree_path(tree, from), *b = tree_path(tree, to);

        g_assert_no_errno(rename(a, b));
}

static void remove_in(const Tree *tree, const char *path) {
        g_autofree char *absolute = tree_path(tree, path);

        g_assert_no_errno(unlink(absolute));
}

static void edit_in_place(const Tree *tree) {
        g_autofree char *path = tree_path(tree, FILE_A);
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        g_assert_cmpint(fd, >=, 0);
        g_assert_cmpint(pwrite(fd, "7", 1, strlen("options kvm_amd nested=")), ==, 1);
        (void) close(fd);
}

static void edit_and_touch_back(const Tree *tree) {
        g_autofree char *path = tree_path(tree, FILE_A);
        struct stat st;

        g_assert_no_errno(stat(path, &st));
        edit_in_place(tree);
        g_assert_no_errno(utimensat(AT_FDCWD, path, (struct timespec[]) {st.st_atim, st.st_mtim}, 0));
}

static void rename_over(const Tree *tree) {
        tree_write(tree, "etc/modprobe.d/.new", "options kvm_amd nested=7\n");
        rename_in(tree, "etc/modprobe.d/.new", FILE_A);
}

static void rename_over_with_its_time(const Tree *tree) {
        g_autofree char *path = tree_path(tree, FILE_A), *new = tree_path(tree, "etc/new");
        struct stat st;

        tree_write(tree, "etc/new", "options kvm_amd nested=7\n");
        g_assert_no_errno(stat(path, &st));
        g_assert_no_errno(utimensat(AT_FDCWD, new, (struct timespec[]) {st.st_atim, st.st_mtim}, 0));
        rename_in(tree, "etc/new", FILE_A);
}

static void add_a_file(const Tree *tree) {
        tree_write(tree, "etc/modprobe.d/c.conf", "options kvm_amd nested=7\n");
}

static void delete_a_file(const Tree *tree) {
        remove_in(tree, FILE_A);
}

static void rename_away(const Tree *tree) {
        rename_in(tree, FILE_A, "etc/modprobe.d/a.conf.bak");
}

static void add_a_folder(const Tree *tree) {
        tree_write(tree, "run/modprobe.d/c.conf", "options kvm_amd nested=7\n");
}

static void mask(const Tree *tree) {
        tree_link(tree, "etc/modprobe.d/b.conf", "/dev/null");
}

static void add_a_link_to_nowhere(const Tree *tree) {
        tree_link(tree, "etc/modprobe.d/c.conf", "nowhere");
}

static void give_a_link_its_file(const Tree *tree) {
        tree_write(tree, "etc/target", "options kvm_amd nested=7\n");
}

static void edit_behind_a_link(const Tree *tree) {
        tree_write(tree, "etc/there", "options kvm_amd nested=7\n");
}

static void turn_the_link_of_a_folder(const Tree *tree) {
        remove_in(tree, "lib");
        tree_link(tree, "lib", "other");
}

static void change_the_kernel_line(const Tree *tree) {
        tree_write(tree, "proc/cmdline", "kvm_amd.nested=1\n");
}

static void close_a_file(const Tree *tree) {
        g_autofree char *path = tree_path(tree, FILE_A);

        g_assert_no_errno(chmod(path, 0));
}

static void make_a_tree(const Tree *tree) {
        tree_write(tree, FILE_A, "options kvm_amd nested=0\n");
        tree_write(tree, FILE_B, "options kvm_amd npt=0\n");
        tree_write(tree, "other/modprobe.d/d.conf", "options kvm_amd avic=0\n");
        tree_write(tree, "proc/cmdline", "quiet\n");
        tree_write(tree, "etc/there", "options kvm_amd vls=0\n");
        tree_link(tree, "lib", "usr/lib");
        tree_link(tree, "etc/modprobe.d/dangling.conf", "../target");
        tree_link(tree, "etc/modprobe.d/linked.conf", "../there");
}

static void test_every_change_is_noticed(gconstpointer data) {
        void (*change)(const Tree *) = *(void (*const *)(const Tree *)) data;
        Tree tree = {};

        tree_set_up(&tree, NULL);
        make_a_tree(&tree);
        settle(&tree);
        {
                g_autoptr(Options) before = options_read(tree.root), same = options_read_since(tree.root, before);
                g_assert_true(same == before);
                change(&tree);
                g_autoptr(Options) after = options_read_since(tree.root, before);
                g_assert_true(after != before);
        }
        tree_tear_down(&tree, NULL);
}

static void test_what_has_just_changed_proves_nothing(Tree *tree, gconstpointer data) {
        make_a_tree(tree);
        g_autoptr(Options) first = options_read(tree->root), second = options_read_since(tree->root, first);
        g_assert_true(first != second);
}

static void test_what_might_be_proves_nothing(Tree *tree, gconstpointer data) {
        g_autoptr(GHashTable) instead = g_hash_table_new(g_str_hash, g_str_equal);

        make_a_tree(tree);
        settle(tree);
        g_autoptr(Options) made = options_read_with(tree->root, instead), read = options_read_since(tree->root, made);
        g_assert_true(read != made);
}

/* The files of the kernel have no times. */
static void test_the_kernel_has_no_times(void) {
        g_autoptr(Root) root = root_new("/proc", NULL, NULL);
        g_autoptr(Stamps) stamps = stamps_new();
        struct stat st;

        g_assert_cmpint(stamps_stat(stamps, root, "sys/kernel/osrelease", &st), ==, 0);
        g_assert_false(stamps_hold(stamps, root));
}

static void test_cpuinfo(Tree *tree, gconstpointer data) {
        tree_write(tree, "proc/cpuinfo", "processor\t: 0\nflags\t\t: svm\n\n");
        settle(tree);
        g_autoptr(Cpuinfo) before = cpuinfo_read(tree->root), same = cpuinfo_read_since(tree->root, before);
        g_assert_true(same == before);
        tree_write(tree, "proc/cpuinfo", "processor\t: 0\nflags\t\t: vmx\n\n");
        g_autoptr(Cpuinfo) after = cpuinfo_read_since(tree->root, before);
        g_assert_cmpstr(after->flags, ==, "vmx");
        /* Of the machine's the caller knows. */
        g_autoptr(Root) machine = root_new("/", NULL, NULL);
        g_autoptr(Cpuinfo) own = cpuinfo_read(machine), kept = cpuinfo_read_since(machine, own);
        g_assert_true(own == kept);
}

int main(int argc, char **argv) {
        static const struct {
                const char *path;
                void (*change)(const Tree *tree);
        } changes[] = {
                        {"/options-since/edit-in-place", edit_in_place},
                        {"/options-since/edit-and-touch-back", edit_and_touch_back},
                        {"/options-since/rename-over", rename_over},
                        {"/options-since/rename-over-with-its-time", rename_over_with_its_time},
                        {"/options-since/add-a-file", add_a_file},
                        {"/options-since/delete-a-file", delete_a_file},
                        {"/options-since/rename-away", rename_away},
                        {"/options-since/add-a-folder", add_a_folder},
                        {"/options-since/mask", mask},
                        {"/options-since/add-a-link-to-nowhere", add_a_link_to_nowhere},
                        {"/options-since/give-a-link-its-file", give_a_link_its_file},
                        {"/options-since/edit-behind-a-link", edit_behind_a_link},
                        {"/options-since/turn-the-link-of-a-folder", turn_the_link_of_a_folder},
                        {"/options-since/change-the-kernel-line", change_the_kernel_line},
                        {"/options-since/close-a-file", close_a_file},
        };

        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(changes); i++)
                g_test_add_data_func(changes[i].path, &changes[i].change, test_every_change_is_noticed);
        g_test_add("/options-since/just-changed", Tree, NULL, tree_set_up, test_what_has_just_changed_proves_nothing,
                   tree_tear_down);
        g_test_add("/options-since/what-might-be", Tree, NULL, tree_set_up, test_what_might_be_proves_nothing,
                   tree_tear_down);
        g_test_add_func("/options-since/the-kernel-has-no-times", test_the_kernel_has_no_times);
        g_test_add("/options-since/cpuinfo", Tree, NULL, tree_set_up, test_cpuinfo, tree_tear_down);
        return g_test_run();
}
