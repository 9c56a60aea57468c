/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks through the open files of all processes for KVM's. It must not open what they have open,
 * and must not wait for a file system that does not answer. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "qemu.h"
#include "users.h"

#define CGROUP_MAX ((size_t) 64 * 1024)
#define FDINFO_MAX ((size_t) 64 * 1024)
#define STATUS_MAX ((size_t) 64 * 1024)
/* Documentation/admin-guide/devices.txt */
#define KVM_MAJOR 10
#define KVM_MINOR 232

static char *proc_path(const char *pid, const char *entry) {
        return g_strdup_printf("proc/%s/%s", pid, entry);
}

/* A node of another name, or in the /dev of a container. Only what looks like one is asked for its
 * numbers, and without going to a server for them: a path on a network file system that hangs must
 * not hang us. */
static bool is_other_node(int directory, const char *name, const char *target) {
        const char *base = strrchr(target, '/');
        struct statx st;

        if (!base || *target != '/' || !(strstr(base, "kvm") || strstr(target, "/dev/")))
                return false;
        return statx(directory, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) >= 0 &&
               S_ISCHR(st.stx_mode) && st.stx_rdev_major == KVM_MAJOR && st.stx_rdev_minor == KVM_MINOR;
}

static bool is_kvm(const Root *root, int directory, const char *name) {
        char target[256];
        ssize_t size = readlinkat(directory, name, target, sizeof(target) - 1);

        if (size < 0)
                return false;
        target[size] = 0;
        if (g_str_equal(target, "/dev/kvm") || g_str_equal(target, "/dev/kvm (deleted)") ||
            g_str_has_prefix(target, "anon_inode:kvm-") || g_str_has_prefix(target, "anon_inode:[kvm-"))
                return true;
        /* Beneath another root the entries are plain links, which would lead to files of the
         * machine. */
        return root_is_machine(root) && is_other_node(directory, name, target);
}

/* An O_PATH descriptor names the node and holds nothing. */
static bool is_path_only(const Root *root, const char *pid, const char *name) {
        g_autofree char *path = g_strdup_printf("proc/%s/fdinfo/%s", pid, name), *text = NULL;
        const char *flags;

        if (!root_read(root, path, FDINFO_MAX, &text, NULL, NULL))
                return false;
        flags = strstr(text, "flags:");
        return flags && g_ascii_strtoull(flags + strlen("flags:"), NULL, 8) & O_PATH;
}

static bool holds_kvm(const Root *root, const char *pid) {
        g_autofree char *path = proc_path(pid, "fd");
        g_auto(GStrv) names = root_list(root, path);
        int directory AUTO_CLOSE = *names ? root_open(root, path, O_PATH | O_DIRECTORY) : -1;

        for (char **name = names; directory >= 0 && *name; name++)
                if (is_kvm(root, directory, *name) && !is_path_only(root, pid, *name))
                        return true;
        return false;
}

/* The unit or scope of a path such as /machine.slice/machine-qemu-1-web1.scope/libvirt/emulator:
 * the innermost one. */
static char *unit_of_path(const char *path) {
        g_auto(GStrv) parts = g_strsplit(path, "/", -1);

        for (unsigned i = g_strv_length(parts); i > 0; i--)
                if (g_str_has_suffix(parts[i - 1], ".service") || g_str_has_suffix(parts[i - 1], ".scope"))
                        return g_strdup(parts[i - 1]);
        return g_strdup("");
}

static char *read_unit(const Root *root, const char *pid) {
        g_autofree char *path = proc_path(pid, "cgroup"), *text = NULL, *valid = NULL;
        g_auto(GStrv) lines = NULL;
        const char *found = NULL;

        if (!root_read(root, path, CGROUP_MAX, &text, NULL, NULL))
                return g_strdup("");
        valid = g_utf8_make_valid(text, -1);
        lines = g_strsplit(valid, "\n", -1);
        for (char **line = lines; *line; line++) {
                const char *legacy = strstr(*line, ":name=systemd:");

                if (legacy)
                        found = legacy + strlen(":name=systemd:");
                else if (!found && g_str_has_prefix(*line, "0::"))
                        found = *line + strlen("0::");
        }
        return found ? unit_of_path(found) : g_strdup("");
}

static bool read_uid(const Root *root, const char *pid, unsigned *ret) {
        g_autofree char *path = proc_path(pid, "status"), *text = NULL;
        const char *line;

        if (!root_read(root, path, STATUS_MAX, &text, NULL, NULL) || !(line = strstr(text, "\nUid:")))
                return false;
        *ret = (unsigned) g_ascii_strtoull(line + strlen("\nUid:"), NULL, 10);
        return true;
}

static User *user_new(const Root *root, const char *pid) {
        g_autofree char *path = proc_path(pid, "comm");
        g_autofree char *command = root_read_line(root, path);
        unsigned uid;
        User *user;

        if (!command || !read_uid(root, pid, &uid))
                return NULL;
        user = g_new0(User, 1);
        user->pid = (unsigned) g_ascii_strtoull(pid, NULL, 10);
        user->uid = uid;
        user->command = g_steal_pointer(&command);
        user->unit = read_unit(root, pid);
        user->guest = qemu_read_name(root, pid);
        return user;
}

static int compare_users(const void *a, const void *b) {
        const User *x = *(User *const *) a, *y = *(User *const *) b;

        return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static Users *users_new(void) {
        Users *users = g_new0(Users, 1);

        g_atomic_ref_count_init(&users->references);
        users->holders = g_ptr_array_new_with_free_func((GDestroyNotify) user_free);
        return users;
}

Users *users_ref(Users *users) {
        g_atomic_ref_count_inc(&users->references);
        return users;
}

void users_unref(Users *users) {
        if (!users || !g_atomic_ref_count_dec(&users->references))
                return;
        g_ptr_array_unref(users->holders);
        g_free(users);
}

Users *users_scan(const Root *root) {
        Users *users = users_new();
        g_auto(GStrv) names = root_list(root, "proc");

        for (char **name = names; *name; name++) {
                User *user;

                if ((*name)[strspn(*name, "0123456789")] != 0 || !holds_kvm(root, *name))
                        continue;
                user = user_new(root, *name);
                if (user)
                        g_ptr_array_add(users->holders, user);
        }
        g_ptr_array_sort(users->holders, compare_users);
        return users;
}

void user_free(User *user) {
        if (!user)
                return;
        g_free(user->command);
        g_free(user->unit);
        g_free(user->guest);
        g_free(user);
}

static void append_user(GString *text, const User *user) {
        g_string_append_printf(text, "%spid %u %s", text->len > 0 ? ", " : "", user->pid, user->command);
        if (*user->unit && *user->guest)
                g_string_append_printf(text, " (%s, guest %s)", user->unit, user->guest);
        else if (*user->unit)
                g_string_append_printf(text, " (%s)", user->unit);
        else if (*user->guest)
                g_string_append_printf(text, " (guest %s)", user->guest);
}

Users *users_scan_shared(UsersScan *scan, const Root *root, gint64 asked) {
        if (!scan->users || scan->begun <= asked) {
                g_clear_pointer(&scan->users, users_unref);
                scan->begun = g_get_monotonic_time();
                scan->users = users_scan(root);
        }
        return users_ref(scan->users);
}

char *users_to_string(const Users *users, unsigned max) {
        g_autoptr(GString) text = g_string_new(NULL);
        const unsigned shown = MIN(users->holders->len, max), more = users->holders->len - shown + users->omitted;

        for (unsigned i = 0; i < shown; i++)
                append_user(text, g_ptr_array_index(users->holders, i));
        if (more > 0)
                g_string_append_printf(text, "%s%u more", shown > 0 ? " and " : "", more);
        if (users->perhaps_more)
                g_string_append(text, text->len > 0 ? ", and perhaps more" : "perhaps somebody who was not looked at");
        return g_string_free(g_steal_pointer(&text), FALSE);
}
