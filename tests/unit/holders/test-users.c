/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who holds KVM, from trees that look like /proc, and on the machine for this very process. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tree.h"
#include "users.h"

static void add_process(const Tree *tree, unsigned pid, const char *command, const char *fd) {
        g_autofree char *comm = g_strdup_printf("proc/%u/comm", pid), *link = g_strdup_printf("proc/%u/fd/7", pid);
        g_autofree char *name = g_strconcat(command, "\n", NULL);
        g_autofree char *status = g_strdup_printf("proc/%u/status", pid);
        g_autofree char *text =
                        g_strdup_printf("Name:\t%s\nUid:\t%u\t0\t0\t0\nGid:\t0\t0\t0\t0\n", command, pid + 1000);

        tree_write(tree, comm, name);
        tree_write(tree, status, text);
        tree_link(tree, link, fd);
}

static void add_entry(const Tree *tree, unsigned pid, const char *entry, const char *text, size_t size) {
        g_autofree char *path = g_strdup_printf("proc/%u/%s", pid, entry);

        tree_write_bytes(tree, path, text, size);
}

#define ADD(tree, pid, entry, text) add_entry(tree, pid, entry, text, sizeof(text) - 1)

static void test_who(Tree *tree, gconstpointer data) {
        static const struct {
                const char *target;
                bool holds;
        } cases[] = {
                        {"/dev/kvm", true},
                        {"/dev/kvm (deleted)", true},
                        {"anon_inode:kvm-vm", true},
                        {"anon_inode:kvm-vcpu:0", true},
                        {"anon_inode:kvm-vcpu", true},
                        {"anon_inode:kvm-vfio", true},
                        {"anon_inode:[kvm-gmem]", true},
                        {"/dev/kvmx", false},
                        {"/dev/kvm.old", false},
                        {"/srv/dev/kvm", false}, /* on the machine its numbers would be looked at */
                        {"anon_inode:[eventfd]", false},
                        {"anon_inode:kvmish", false},
                        {"/var/lib/kvm", false},
                        {"socket:[1]", false},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
                add_process(tree, 1000 - i, "holder", cases[i].target);
        g_autoptr(Users) users = users_scan(tree->root);
        g_assert_cmpuint(users->holders->len, ==, 7);
        for (unsigned i = 0; i < users->holders->len; i++) {
                const User *user = g_ptr_array_index(users->holders, i);

                g_assert_true(cases[1000 - user->pid].holds);
                g_assert_cmpuint(user->pid, ==, 1000 - 6 + i);
                g_assert_cmpuint(user->uid, ==, user->pid + 1000);
                g_assert_cmpstr(user->command, ==, "holder");
                g_assert_cmpstr(user->unit, ==, "");
                g_assert_cmpstr(user->guest, ==, "");
        }
}

static void test_units(Tree *tree, gconstpointer data) {
        static const struct {
                const char *cgroup, *unit;
        } cases[] = {
                        {"0::/machine.slice/machine-qemu\\x2d1\\x2dweb1.scope/libvirt/emulator\n",
                         "machine-qemu\\x2d1\\x2dweb1.scope"},
                        {"0::/system.slice/foo.service\n", "foo.service"},
                        {"0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"},
                        /* Below a unit are names of whom it is delegated to. */
                        {"0::/user.slice/user-0.slice/user@0.service/app.slice/vm.scope\n", "user@0.service"},
                        {"0::/user.slice/user-9.slice/user@9.service/nestvirt-probe.service\n", "user@9.service"},
                        {"0::/system.slice/a.service/b.scope/c.service\n", "a.service"},
                        {"0::/user.slice/x/libvirtd.service\n", ""},
                        {"0::/../../system.slice/foo.service\n", ""},
                        {"0::/a b.slice/foo.service\n", ""},
                        {"0::/.service\n", ""},
                        {"0::/foo.slice\n", ""},
                        {"0::/_cgroup.service/x.service\n", "cgroup.service"},
                        {"0::/srv.mount\n", "srv.mount"},
                        {"0::/init.scope\n", "init.scope"},
                        /* A folder of that name in what is the user's. */
                        {"0::/user.slice/u.service/x:name=systemd:/system.slice/foo.service\n", "u.service"},
                        {"2:cpu,name=systemd:/system.slice/foo.service\n", ""},
                        {"0::/\n", ""},
                        {"12:cpu:/x.scope\n1:name=systemd:/system.slice/old.service\n0::/init.scope\n", "old.service"},
                        {"garbage\n\n::\n", ""},
                        {"", ""},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                add_process(tree, 100 + i, "x", "/dev/kvm");
                add_entry(tree, 100 + i, "cgroup", cases[i].cgroup, strlen(cases[i].cgroup));
        }
        g_autoptr(Users) users = users_scan(tree->root);
        g_assert_cmpuint(users->holders->len, ==, G_N_ELEMENTS(cases));
        for (unsigned i = 0; i < users->holders->len; i++)
                g_assert_cmpstr(((User *) g_ptr_array_index(users->holders, i))->unit, ==, cases[i].unit);
}

static void test_guests(Tree *tree, gconstpointer data) {
        static const char *const guests[] = {"web1", "web2", "a,b", "late", "", "", "\xef\xbf\xbd", ""};

        for (unsigned i = 0; i < G_N_ELEMENTS(guests); i++)
                add_process(tree, 100 + i, "qemu", "anon_inode:kvm-vm");
        ADD(tree, 100, "cmdline", "/usr/bin/qemu-system-x86_64\0-name\0guest=web1,debug-threads=on\0-S\0");
        ADD(tree, 101, "cmdline", "kvm\0--name\0web2,process=x\0");
        ADD(tree, 102, "cmdline", "/usr/libexec/qemu-kvm\0-name\0guest=a,,b,x=y\0");
        ADD(tree, 103, "cmdline", "qemu-kvm\0-name\0debug-threads=on,guest=late");
        ADD(tree, 104, "cmdline", "/usr/bin/find\0-name\0web1\0");
        ADD(tree, 105, "cmdline", "qemu\0-name");
        ADD(tree, 106, "cmdline", "qemu\0-name\0\xff\0");
        ADD(tree, 107, "cmdline", "");
        g_autoptr(Users) users = users_scan(tree->root);
        g_assert_cmpuint(users->holders->len, ==, G_N_ELEMENTS(guests));
        for (unsigned i = 0; i < users->holders->len; i++)
                g_assert_cmpstr(((User *) g_ptr_array_index(users->holders, i))->guest, ==, guests[i]);
}

/* It is svm or vmx that they are asked for, by the module that is there. */
static void test_claims(Tree *tree, gconstpointer data) {
        static const char *const modules[] = {NULL, "sys/module/kvm_intel/refcnt", "sys/module/kvm_amd/refcnt"};
        static const char *const claims[] = {"", "yes", "no"};

        add_process(tree, 100, "qemu", "anon_inode:kvm-vm");
        ADD(tree, 100, "cmdline", "qemu\0-cpu\0host,-svm\0");
        for (gsize i = 0; i < G_N_ELEMENTS(modules); i++) {
                if (modules[i])
                        tree_write(tree, modules[i], "1\n");
                g_autoptr(Users) users = users_scan(tree->root);
                g_autoptr(Users) own = users_of(users, 1100);
                g_assert_cmpstr(((User *) g_ptr_array_index(users->holders, 0))->nested, ==, claims[i]);
                g_assert_cmpstr(((User *) g_ptr_array_index(own->holders, 0))->nested, ==, claims[i]);
        }
}

static void assert_shown(const char *shown, const char *name) {
        g_autofree char *expected = g_strconcat(name, "…", NULL);

        g_assert_cmpstr(shown, ==, expected);
        g_assert_cmpint(g_utf8_strlen(shown, -1), ==, 64);
}

/* Anybody can choose these. */
static void test_long_names(Tree *tree, gconstpointer data) {
        g_autofree char *c63 = g_strnfill(63, 'c'), *c64 = g_strnfill(64, 'c'), *dots = g_strnfill(130000, '.');
        g_autofree char *group = g_strdup_printf("0::/%s.scope\n", c64);
        g_autoptr(GString) line = g_string_new_len("qemu\0-name\0", 11);

        add_process(tree, 100, c64, "/dev/kvm");
        add_process(tree, 101, dots + 129000, "/dev/kvm");
        add_entry(tree, 101, "cgroup", group, strlen(group));
        g_string_append_printf(line, "ä€%s", dots);
        add_entry(tree, 101, "cmdline", line->str, line->len + 1);
        g_autoptr(Users) users = users_scan(tree->root);
        const User *user = g_ptr_array_index(users->holders, 0);
        g_assert_cmpstr(user->command, ==, c64);
        user = g_ptr_array_index(users->holders, 1);
        assert_shown(user->unit, c63);
        dots[63] = 0;
        assert_shown(user->command, dots);
        g_autofree char *guest = g_strconcat("ä€", dots + 2, NULL);
        assert_shown(user->guest, guest);
}

static Users *scan_within(const Tree *tree, unsigned first, unsigned each, unsigned all, unsigned max) {
        const Bounds bounds = {
                        .first = first,
                        .each = each,
                        .all = all,
                        .each_usec = G_TIME_SPAN_HOUR,
                        .all_usec = G_TIME_SPAN_HOUR,
        };

        return users_scan_within(tree->root, &bounds, max);
}

static void add_descriptors(const Tree *tree, unsigned pid, unsigned count) {
        for (unsigned i = 0; i < count; i++) {
                g_autofree char *link = g_strdup_printf("proc/%u/fd/%u", pid, 1000 + i);

                tree_link(tree, link, "/dev/null");
        }
}

/* However many descriptors one has, those of the others are looked at. */
static void test_bounded(Tree *tree, gconstpointer data) {
        for (unsigned pid = 100; pid < 110; pid++) {
                add_descriptors(tree, pid, 50);
                add_entry(tree, pid, "comm", "x\n", 2);
        }
        add_process(tree, 200, "holder", "/dev/kvm");
        g_autoptr(Users) some = scan_within(tree, 5, 20, 1000, 10), few = scan_within(tree, 5, 20, 120, 10),
                         none = scan_within(tree, 5, 20, 0, 10), all = scan_within(tree, 5, 50, 1000, 10);
        g_assert_cmpuint(some->looked, ==, 10 * 20 + 1);
        g_assert_cmpuint(some->holders->len, ==, 1);
        g_assert_true(some->perhaps_more);
        g_assert_cmpuint(few->looked, ==, 120);
        g_assert_cmpuint(few->holders->len, ==, 1);
        g_assert_true(few->perhaps_more);
        g_assert_cmpuint(none->looked, ==, 0);
        g_assert_cmpuint(none->holders->len, ==, 0);
        g_assert_true(none->perhaps_more);
        g_assert_cmpuint(all->looked, ==, 10 * 50 + 1);
        g_assert_cmpuint(all->holders->len, ==, 1);
        g_assert_false(all->perhaps_more);
}

static void test_too_many_holders(Tree *tree, gconstpointer data) {
        for (unsigned pid = 1; pid <= 10; pid++)
                add_process(tree, pid, "x", "/dev/kvm");
        g_autoptr(Users) users = scan_within(tree, 5, 5, 100, 7);
        g_assert_cmpuint(users->holders->len, ==, 7);
        g_assert_cmpuint(users->omitted, ==, 3);
        g_assert_false(users->perhaps_more);
}

/* Whom the module's count of references says to be nobody need not be looked for. */
static void test_free(Tree *tree, gconstpointer data) {
        static const struct {
                const char *amd, *intel;
                bool free;
        } cases[] = {
                        {"0\n", NULL, true},  {NULL, "0\n", true},   {NULL, NULL, false},  {"1\n", NULL, false},
                        {NULL, "2\n", false}, {"0\n", "1\n", false}, {"x\n", NULL, false}, {"\n", "-1\n", false},
        };

        add_process(tree, 100, "holder", "/dev/kvm");
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                tree_write(tree, "sys/module/kvm_amd/refcnt", cases[i].amd ?: "");
                tree_write(tree, "sys/module/kvm_intel/refcnt", cases[i].intel ?: "");
                g_autoptr(Users) users = users_scan(tree->root);
                g_assert_cmpuint(users->holders->len, ==, cases[i].free ? 0 : 1);
                g_assert_cmpuint(users->looked, ==, cases[i].free ? 0 : 1);
                g_assert_false(users->perhaps_more);
        }
        /* A module that uses it is no holder of KVM. */
        tree_write(tree, "sys/module/kvm_amd/refcnt", "1\n");
        tree_write(tree, "sys/module/kvm_amd/holders/other", "");
        g_autoptr(Users) users = users_scan(tree->root);
        g_assert_cmpuint(users->holders->len, ==, 0);
}

/* A process that goes away while it is looked at leaves its folder, or parts of it, missing. */
static void test_gone_meanwhile(Tree *tree, gconstpointer data) {
        add_process(tree, 100, "stays", "/dev/kvm");
        tree_link(tree, "proc/200/fd/3", "/dev/kvm");
        /* Whose it was can't be told any more: it must not be taken for root's. */
        tree_write(tree, "proc/250/comm", "ending\n");
        tree_link(tree, "proc/250/fd/3", "/dev/kvm");
        tree_write(tree, "proc/260/comm", "ending\n");
        tree_write(tree, "proc/260/status", "Name:\tending\n");
        tree_link(tree, "proc/260/fd/3", "/dev/kvm");
        tree_folder(tree, "proc/300");
        tree_link(tree, "proc/self", "100");
        tree_write(tree, "proc/100x/comm", "no number\n");
        tree_link(tree, "proc/100x/fd/3", "/dev/kvm");
        g_autoptr(Users) users = users_scan(tree->root);
        g_assert_cmpuint(users->holders->len, ==, 1);
        g_assert_cmpuint(((User *) g_ptr_array_index(users->holders, 0))->pid, ==, 100);
}

static void test_no_proc(Tree *tree, gconstpointer data) {
        g_autoptr(Users) users = users_scan(tree->root);

        g_assert_cmpuint(users->holders->len, ==, 0);
}

static void test_to_string(Tree *tree, gconstpointer data) {
        add_process(tree, 100, "first", "/dev/kvm");
        add_process(tree, 812, "qemu-system-x86", "/dev/kvm");
        ADD(tree, 812, "cgroup", "0::/machine.slice/machine-qemu-1-web1.scope\n");
        ADD(tree, 812, "cmdline", "qemu-system-x86_64\0-name\0web1\0");
        add_process(tree, 900, "sandboxed", "/dev/kvm");
        ADD(tree, 900, "cgroup", "0::/system.slice/x.service\n");
        add_process(tree, 901, "qemu", "/dev/kvm");
        ADD(tree, 901, "cmdline", "qemu\0-name\0web2\0");
        g_autoptr(Users) users = users_scan(tree->root);
        g_autoptr(GPtrArray) empty = g_ptr_array_new();
        const Users bounded = {.holders = users->holders, .omitted = 3, .perhaps_more = true},
                    none = {.holders = empty}, unknown = {.holders = empty, .perhaps_more = true};
        g_autofree char *all = users_to_string(users, 4), *two = users_to_string(users, 2),
                        *zero = users_to_string(users, 0), *left_out = users_to_string(&bounded, 1),
                        *nobody = users_to_string(&none, 3), *anybody = users_to_string(&unknown, 3);

        g_assert_cmpstr(all, ==,
                        "pid 100 first, pid 812 qemu-system-x86 (machine-qemu-1-web1.scope, guest web1), "
                        "pid 900 sandboxed (x.service), pid 901 qemu (guest web2)");
        g_assert_cmpstr(two, ==,
                        "pid 100 first, pid 812 qemu-system-x86 (machine-qemu-1-web1.scope, guest web1) and 2 more");
        g_assert_cmpstr(zero, ==, "4 more");
        g_assert_cmpstr(left_out, ==, "pid 100 first and 6 more, and perhaps more");
        g_assert_cmpstr(nobody, ==, "");
        g_assert_cmpstr(anybody, ==, "perhaps somebody who was not looked at");
}

static bool machine_lists_us(void) {
        g_autoptr(Root) machine = root_new("/", NULL, NULL);
        g_autoptr(Users) users = users_scan(machine);

        for (unsigned i = 0; i < users->holders->len; i++) {
                const User *user = g_ptr_array_index(users->holders, i);

                if (user->pid == (unsigned) getpid()) {
                        g_assert_cmpuint(user->uid, ==, getuid());
                        g_assert_cmpstr(user->command, ==, "test-users");
                        return true;
                }
        }
        return false;
}

/* We are on the list exactly while we have the device open, under whatever name; a host without KVM
 * has nobody to list. */
static void test_machine(Tree *tree, gconstpointer data) {
        g_autofree char *node = tree_path(tree, "my-kvm-node"), *file = tree_path(tree, "dev/kvm");
        int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), other;
        g_autoptr(Users) users = NULL;

        g_assert_true(machine_lists_us() == (fd >= 0));
        if (fd >= 0)
                close(fd);
        g_assert_false(machine_lists_us());
        other = mknod(node, S_IFCHR | 0600, makedev(10, 232)) < 0 ? -1 : open(node, O_RDWR | O_CLOEXEC);
        g_assert_true(machine_lists_us() == (other >= 0));
        if (other >= 0)
                close(other);
        /* Naming the node holds nothing. */
        other = open(node, O_PATH | O_CLOEXEC);
        g_assert_false(machine_lists_us());
        if (other >= 0)
                close(other);
        /* In a tree, a link to a node of the machine is a link to nothing. */
        add_process(tree, 100, "x", node);
        users = users_scan(tree->root);
        g_assert_cmpuint(users->holders->len, ==, 0);
        /* The name alone proves nothing. */
        tree_write(tree, "dev/kvm", "");
        fd = open(file, O_RDONLY | O_CLOEXEC);
        g_assert_cmpint(fd, >=, 0);
        g_assert_false(machine_lists_us());
        close(fd);
}

static void test_shared(Tree *tree, gconstpointer data) {
        const gint64 asked = g_get_monotonic_time();
        UsersScan scan = {};
        g_autoptr(Users) first = NULL, second = NULL, later = NULL;

        while (g_get_monotonic_time() == asked)
                ;
        first = users_scan_shared(&scan, tree->root, asked);
        add_process(tree, 100, "x", "/dev/kvm");
        second = users_scan_shared(&scan, tree->root, asked);
        g_assert_cmpuint(first->holders->len, ==, 0);
        g_assert_cmpuint(second->holders->len, ==, 0);
        later = users_scan_shared(&scan, tree->root, g_get_monotonic_time());
        g_assert_cmpuint(later->holders->len, ==, 1);
        users_unref(scan.users);
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name;
                void (*run)(Tree *tree, gconstpointer data);
        } tests[] = {
                        {"who", test_who},
                        {"units", test_units},
                        {"guests", test_guests},
                        {"claims", test_claims},
                        {"gone-meanwhile", test_gone_meanwhile},
                        {"no-proc", test_no_proc},
                        {"to-string", test_to_string},
                        {"machine", test_machine},
                        {"shared", test_shared},
                        {"long-names", test_long_names},
                        {"bounded", test_bounded},
                        {"too-many-holders", test_too_many_holders},
                        {"free", test_free},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/users/", tests[i].name, NULL);

                g_test_add(path, Tree, NULL, tree_set_up, tests[i].run, tree_tear_down);
        }
        return g_test_run();
}
