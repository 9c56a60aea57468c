/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What makes a descriptor KVM's, on the machine for processes of our own; and how much is looked
 * at, over trees that look like /proc. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "tree.h"

static const Bounds plenty = {
                .first = G_MAXUINT - 1,
                .each = G_MAXUINT - 1,
                .all = G_MAXUINT,
                .each_usec = G_TIME_SPAN_HOUR,
                .all_usec = G_TIME_SPAN_HOUR,
};

static Holding look_at(const Root *root, pid_t pid) {
        g_autofree char *name = g_strdup_printf("%d", (int) pid);
        Descriptors descriptors;

        descriptors_begin(&descriptors, root, &plenty);
        return descriptors_look(&descriptors, name, 0, plenty.each);
}

static void assert_holding(pid_t pid, Holding expected) {
        g_autoptr(Root) machine = root_new("/", NULL, NULL);

        g_assert_cmpint(look_at(machine, pid), ==, expected);
}

/* /dev/kvm is a plain file where it looks, and the path of its descriptor says what it would say of
 * the device. */
static void G_GNUC_NORETURN imitate(int ready) {
        const char byte = 0;
        int fd;

        if ((unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", "/dev", "tmpfs", 0, NULL) < 0)
                _exit(1);
        fd = open("/dev/kvm", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || mkdir("/dev/anon_inode:kvm-vm", 0700) < 0 ||
            open("/dev/anon_inode:kvm-vm", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 || write(ready, &byte, 1) != 1)
                _exit(1);
        for (;;)
                (void) pause();
}

static void test_path_of_another_namespace(Tree *tree, gconstpointer data) {
        g_autofree char *link = NULL, *target = NULL;
        int ends[2];
        char byte;

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
        const pid_t child = fork();
        g_assert_cmpint(child, >=, 0);
        if (child == 0) {
                (void) close(ends[0]);
                imitate(ends[1]);
        }
        (void) close(ends[1]);
        g_assert_cmpint(read(ends[0], &byte, 1), ==, 1);
        for (int fd = 3; g_strcmp0(target, "/dev/kvm") != 0; fd++) {
                g_assert_cmpint(fd, <, 64);
                g_free(link);
                g_free(target);
                link = g_strdup_printf("/proc/%d/fd/%d", (int) child, fd);
                target = g_file_read_link(link, NULL);
        }
        assert_holding(child, HOLDING_NOT);
        g_assert_cmpint(kill(child, SIGKILL), ==, 0);
        g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
        (void) close(ends[0]);
}

/* By its numbers, whatever its name is; but not another device, and not one that is only named. */
static void test_by_numbers(Tree *tree, gconstpointer data) {
        g_autofree char *node = tree_path(tree, "a-node"), *null = tree_path(tree, "dev/kvm");
        int fd;

        assert_holding(getpid(), HOLDING_NOT);
        tree_folder(tree, "dev");
        if (mknod(node, S_IFCHR | 0600, makedev(10, 232)) < 0 || mknod(null, S_IFCHR | 0600, makedev(1, 3)) < 0) {
                g_test_skip("only root can make device nodes");
                return;
        }
        fd = open(node, O_RDWR | O_CLOEXEC);
        assert_holding(getpid(), fd < 0 ? HOLDING_NOT : HOLDING_KVM);
        if (fd >= 0)
                (void) close(fd);
        fd = open(node, O_PATH | O_CLOEXEC);
        g_assert_cmpint(fd, >=, 0);
        assert_holding(getpid(), HOLDING_NOT);
        (void) close(fd);
        fd = open(null, O_RDWR | O_CLOEXEC);
        g_assert_cmpint(fd, >=, 0);
        assert_holding(getpid(), HOLDING_NOT);
        (void) close(fd);
}

/* @count links of which the one named @kvm is the device. */
static void add_process(const Tree *tree, unsigned pid, unsigned count, unsigned kvm) {
        for (unsigned i = 0; i < count; i++) {
                g_autofree char *path = g_strdup_printf("proc/%u/fd/%u", pid, i);

                tree_link(tree, path, i == kvm ? "/dev/kvm" : "/dev/null");
        }
}

static void test_a_part(Tree *tree, gconstpointer data) {
        Descriptors descriptors;

        add_process(tree, 100, 10, G_MAXUINT);
        descriptors_begin(&descriptors, tree->root, &plenty);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 10), ==, HOLDING_NOT);
        g_assert_cmpuint(descriptors.looked, ==, 10);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 4), ==, HOLDING_MORE);
        g_assert_cmpuint(descriptors.looked, ==, 14);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 4, 10), ==, HOLDING_NOT);
        g_assert_cmpuint(descriptors.looked, ==, 20);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 10, 20), ==, HOLDING_NOT);
        g_assert_cmpuint(descriptors.looked, ==, 20);
        g_assert_false(descriptors.cut);
}

static void test_no_more_than_all(Tree *tree, gconstpointer data) {
        Bounds bounds = plenty;
        Descriptors descriptors;

        add_process(tree, 100, 10, G_MAXUINT);
        bounds.all = 15;
        descriptors_begin(&descriptors, tree->root, &bounds);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 10), ==, HOLDING_NOT);
        g_assert_false(descriptors_spent(&descriptors));
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 10), ==, HOLDING_NOT);
        g_assert_true(descriptors_spent(&descriptors));
        g_assert_true(descriptors.cut);
        g_assert_cmpuint(descriptors.looked, ==, 15);
}

static void test_no_longer_than(Tree *tree, gconstpointer data) {
        Bounds bounds = plenty;
        Descriptors descriptors;

        add_process(tree, 100, 10, 5);
        bounds.each_usec = 0;
        descriptors_begin(&descriptors, tree->root, &bounds);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 10), ==, HOLDING_NOT);
        g_assert_false(descriptors_spent(&descriptors));
        g_assert_true(descriptors.cut);
        bounds = plenty;
        bounds.all_usec = 0;
        descriptors_begin(&descriptors, tree->root, &bounds);
        g_assert_true(descriptors_spent(&descriptors));
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 10), ==, HOLDING_NOT);
        g_assert_cmpuint(descriptors.looked, ==, 0);
}

/* That it can't be looked for is not that nobody is there. */
static void test_out_of_descriptors(Tree *tree, gconstpointer data) {
        struct rlimit limit;
        Descriptors descriptors;

        add_process(tree, 100, 10, 5);
        descriptors_begin(&descriptors, tree->root, &plenty);
        g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &limit), ==, 0);
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &(struct rlimit) {0, limit.rlim_max}), ==, 0);
        g_assert_cmpint(descriptors_look(&descriptors, "100", 0, 10), ==, HOLDING_NOT);
        g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
        g_assert_true(descriptors.cut);
        descriptors_begin(&descriptors, tree->root, &plenty);
        g_assert_cmpint(descriptors_look(&descriptors, "101", 0, 10), ==, HOLDING_NOT);
        g_assert_false(descriptors.cut);
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name;
                void (*run)(Tree *tree, gconstpointer data);
        } tests[] = {
                        {"path-of-another-namespace", test_path_of_another_namespace},
                        {"by-numbers", test_by_numbers},
                        {"a-part", test_a_part},
                        {"no-more-than-all", test_no_more_than_all},
                        {"no-longer-than", test_no_longer_than},
                        {"out-of-descriptors", test_out_of_descriptors},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/descriptors/", tests[i].name, NULL);

                g_test_add(path, Tree, NULL, tree_set_up, tests[i].run, tree_tear_down);
        }
        return g_test_run();
}
