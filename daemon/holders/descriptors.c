/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at descriptors one by one, within bounds. It must not open what others have open, and must
 * not wait for a file system that does not answer. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "descriptors.h"
#include "fault.h"
#include "host.h"

#define FDINFO_MAX ((size_t) 64 * 1024)

/* What the kernel knows by itself: neither a server nor an automounter is asked. */
static bool ask(int directory, const char *name, int flags, struct statx *ret) {
        return statx(directory, name, flags | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, ret) >= 0;
}

static guint64 device_of(const struct statx *st) {
        return makedev(st->stx_dev_major, st->stx_dev_minor);
}

/* All anonymous inodes are on one mount that no path leads to, an eventfd as well. */
static guint64 anonymous_device(void) {
        int fd AUTO_CLOSE = eventfd(0, EFD_CLOEXEC);
        struct statx st;

        return fd >= 0 && ask(fd, "", AT_EMPTY_PATH, &st) ? device_of(&st) : 0;
}

void descriptors_begin(Descriptors *descriptors, const Root *root, const Bounds *bounds) {
        const bool machine = root_is_machine(root);
        const guint64 anonymous = machine ? anonymous_device() : 0;

        *descriptors = (Descriptors) {
                        .root = root,
                        .bounds = *bounds,
                        .anonymous = anonymous,
                        .cut = machine && !anonymous,
                        .end = g_get_monotonic_time() + bounds->all_usec,
        };
}

bool descriptors_spent(Descriptors *descriptors) {
        if (descriptors->looked < descriptors->bounds.all && g_get_monotonic_time() < descriptors->end)
                return false;
        descriptors->cut = true;
        return true;
}

/* virt/kvm/kvm_main.c: "kvm-vm", "kvm-vcpu:N", "kvm-" and the kind of a device;
 * virt/kvm/guest_memfd.c: "[kvm-gmem]". */
static bool is_name_of_kvm(const char *target) {
        return g_str_has_prefix(target, "anon_inode:kvm-") || g_str_has_prefix(target, "anon_inode:[kvm-");
}

static bool read_target(int directory, const char *name, char *ret, size_t size) {
        ssize_t length = readlinkat(directory, name, ret, size - 1);

        ret[MAX(length, 0)] = 0;
        return length >= 0;
}

/* An anonymous inode has no type. */
static bool is_kvm_on_machine(const Descriptors *descriptors, int directory, const char *name) {
        char target[64];
        struct statx st;

        if (!ask(directory, name, 0, &st))
                return false;
        if (S_ISCHR(st.stx_mode))
                return st.stx_rdev_major == HOST_DEVICE_MAJOR && st.stx_rdev_minor == HOST_DEVICE_MINOR;
        return (st.stx_mode & S_IFMT) == 0 && device_of(&st) == descriptors->anonymous &&
               read_target(directory, name, target, sizeof target) && is_name_of_kvm(target);
}

/* The entries are plain links, which would lead to files of the machine. */
static bool is_kvm_in_tree(int directory, const char *name) {
        char target[64];

        return read_target(directory, name, target, sizeof target) &&
               (g_str_equal(target, "/dev/kvm") || g_str_equal(target, "/dev/kvm (deleted)") || is_name_of_kvm(target));
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

static bool is_kvm(Descriptors *descriptors, int directory, const char *pid, const char *name) {
        const Root *root = descriptors->root;

        descriptors->looked++;
        return (root_is_machine(root) ? is_kvm_on_machine(descriptors, directory, name)
                                      : is_kvm_in_tree(directory, name)) &&
               !is_path_only(root, pid, name);
}

/* A process that is gone, or that we may not look at, holds nothing that we know of. */
static DIR *open_folder(Descriptors *descriptors, const char *pid) {
        g_autofree char *path = g_strdup_printf("proc/%s/fd", pid);
        int fd = root_open(descriptors->root, path, O_RDONLY | O_DIRECTORY);
        DIR *folder = fd < 0 ? NULL : fdopendir(fd);

        if (!folder && fd >= 0)
                (void) close(fd);
        if (!folder && (fd >= 0 || fault_is(path, -fd)))
                descriptors->cut = true;
        return folder;
}

static Holding look(Descriptors *descriptors, DIR *folder, const char *pid, unsigned from, unsigned to) {
        const gint64 end = g_get_monotonic_time() + descriptors->bounds.each_usec;
        const struct dirent *entry;
        unsigned i = 0;

        while (errno = 0, (entry = readdir(folder))) {
                if (*entry->d_name == '.' || i++ < from)
                        continue;
                if (i > to)
                        return HOLDING_MORE;
                if (descriptors_spent(descriptors) || g_get_monotonic_time() >= end) {
                        descriptors->cut = true;
                        return HOLDING_NOT;
                }
                if (is_kvm(descriptors, dirfd(folder), pid, entry->d_name))
                        return HOLDING_KVM;
        }
        if (errno && errno != ENOENT && errno != ESRCH)
                descriptors->cut = true;
        return HOLDING_NOT;
}

Holding descriptors_look(Descriptors *descriptors, const char *pid, unsigned from, unsigned to) {
        DIR *folder = open_folder(descriptors, pid);
        Holding holding = HOLDING_NOT;

        if (folder) {
                holding = look(descriptors, folder, pid, from, to);
                (void) closedir(folder);
        }
        return holding;
}
