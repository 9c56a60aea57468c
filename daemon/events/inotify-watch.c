/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An inotify instance and what its watches stand for. Arming is done anew from scratch each time:
 * watching the same inode twice is one watch to the kernel, so what has not changed costs a few
 * system calls. */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "desired-folders.h"
#include "fault.h"
#include "inotify-watch.h"
#include "options.h"

#define INSIDE (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB)
#define ABOVE (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM)
#define ITSELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
/* Somebody uses KVM, or no longer does: an open that makes no VM has no event of the kernel's. */
#define NODE (IN_OPEN | IN_CLOSE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW)
/* No word about the folder: it could not be looked for. */
#define WATCH_FAULT (-2)
#define GONE (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

/* One of the paths that matter, and the watch that tells of it. */
typedef struct Folder {
        char *path; /* beneath the root */
        int watch;  /* -1: none */
        char *next; /* what has to come into being beneath the watched folder; NULL: it is the folder itself */
} Folder;

struct InotifyWatch {
        Root *root;
        int fd;
        GArray *folders; /* Folder */
        int device_folder, device;
};

static void folder_clear(Folder *folder) {
        g_free(folder->path);
        g_free(folder->next);
}

/* By descriptor, so that links do not lead out of the root. */
static int watch_beneath(const InotifyWatch *inotify, const char *path, uint32_t mask) {
        char link[sizeof "/proc/self/fd/" + 11];
        int fd = root_open(inotify->root, path, O_PATH | O_DIRECTORY);

        if (fd < 0)
                return fault_is(path, -fd) ? WATCH_FAULT : -1;
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int watch = inotify_add_watch(inotify->fd, link, mask | ITSELF | IN_MASK_ADD);
        (void) close(fd);
        return watch;
}

/* False when it could not be looked for: then it is watched as before. */
static bool folder_arm(const InotifyWatch *inotify, Folder *folder) {
        g_autofree char *path = g_strdup(folder->path), *next = NULL;
        int watch = watch_beneath(inotify, path, INSIDE);

        while (watch == -1 && *path) {
                char *slash = strrchr(path, '/');
                g_free(next);
                next = g_strdup(slash ? slash + 1 : path);
                *(slash ?: path) = '\0';
                watch = watch_beneath(inotify, path, ABOVE);
        }
        if (watch == WATCH_FAULT)
                return false;
        g_free(folder->next);
        folder->next = g_steal_pointer(&next);
        folder->watch = watch;
        return true;
}

static void arm_device(InotifyWatch *inotify) {
        g_autofree char *node = root_device_path(inotify->root, "kvm");
        g_autofree char *folder = g_path_get_dirname(node);

        inotify->device_folder = inotify_add_watch(inotify->fd, folder, ABOVE | ITSELF | IN_MASK_ADD);
        inotify->device = inotify_add_watch(inotify->fd, node, NODE);
}

static bool is_watched(const InotifyWatch *inotify, int watch) {
        for (unsigned i = 0; i < inotify->folders->len; i++)
                if (g_array_index(inotify->folders, Folder, i).watch == watch)
                        return true;
        return watch == inotify->device_folder || watch == inotify->device;
}

/* The device's node is another one after each load; its old watch went with it. */
bool inotify_watch_arm(InotifyWatch *inotify) {
        g_autoptr(GArray) before = g_array_new(FALSE, FALSE, sizeof(int));
        bool all = true;

        g_array_append_val(before, inotify->device_folder);
        g_array_append_val(before, inotify->device);
        for (unsigned i = 0; i < inotify->folders->len; i++) {
                Folder *folder = &g_array_index(inotify->folders, Folder, i);
                g_array_append_val(before, folder->watch);
                all &= folder_arm(inotify, folder);
        }
        arm_device(inotify);
        for (unsigned i = 0; i < before->len; i++) {
                const int watch = g_array_index(before, int, i);
                if (watch >= 0 && !is_watched(inotify, watch))
                        (void) inotify_rm_watch(inotify->fd, watch);
        }
        return all;
}

static bool matters(const InotifyWatch *inotify, const struct inotify_event *event) {
        const char *name = event->len > 0 ? event->name : "";

        if (event->mask & IN_Q_OVERFLOW || event->wd == inotify->device)
                return true;
        if (event->wd == inotify->device_folder && (event->mask & GONE || g_str_equal(name, "kvm")))
                return true;
        for (unsigned i = 0; i < inotify->folders->len; i++) {
                const Folder *folder = &g_array_index(inotify->folders, Folder, i);
                if (event->wd != folder->watch)
                        continue;
                if (event->mask & GONE ||
                    (folder->next ? g_str_equal(name, folder->next) : g_str_has_suffix(name, ".conf")))
                        return true;
        }
        return false;
}

bool inotify_watch_read(InotifyWatch *inotify) {
        _Alignas(struct inotify_event) char room[16 * 1024];
        bool any = false;
        ssize_t size;

        while ((size = read(inotify->fd, room, sizeof room)) > 0)
                for (const char *at = room; at < room + size;) {
                        const struct inotify_event *event = (const struct inotify_event *) (const void *) at;
                        any |= matters(inotify, event);
                        at += sizeof *event + event->len;
                }
        return any;
}

static void add_folder(InotifyWatch *inotify, const char *path) {
        Folder folder = {.path = g_strdup(path), .watch = -1};

        g_array_append_val(inotify->folders, folder);
}

InotifyWatch *inotify_watch_new(Root *root, int *ret_error) {
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd < 0) {
                *ret_error = -errno;
                return NULL;
        }
        InotifyWatch *inotify = g_new0(InotifyWatch, 1);
        inotify->root = root_ref(root);
        inotify->fd = fd;
        inotify->device = inotify->device_folder = -1;
        inotify->folders = g_array_new(FALSE, FALSE, sizeof(Folder));
        g_array_set_clear_func(inotify->folders, (GDestroyNotify) folder_clear);
        for (const char *const *path = options_folders; *path; path++)
                add_folder(inotify, *path);
        add_folder(inotify, DESIRED_FOLDER);
        add_folder(inotify, DESIRED_VENDOR_FOLDER);
        return inotify;
}

void inotify_watch_free(InotifyWatch *inotify) {
        if (!inotify)
                return;
        g_array_unref(inotify->folders);
        (void) close(inotify->fd);
        root_unref(inotify->root);
        g_free(inotify);
}

int inotify_watch_fd(const InotifyWatch *inotify) {
        return inotify->fd;
}
