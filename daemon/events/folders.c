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

#include "folders.h"
#include "options.h"

#define INSIDE (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB)
#define ABOVE (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM)
#define ITSELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)
/* Somebody uses KVM, or no longer does: an open that makes no VM has no event of the kernel's. */
#define NODE (IN_OPEN | IN_CLOSE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW)
#define GONE (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

/* One of the paths that matter, and the watch that tells of it. */
typedef struct Folder {
        char *path; /* beneath the root */
        int watch;  /* -1: none */
        char *next; /* what has to come into being beneath the watched folder; NULL: it is the folder itself */
} Folder;

struct Folders {
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
static int watch_beneath(const Folders *folders, const char *path, uint32_t mask) {
        char link[sizeof "/proc/self/fd/" + 11];
        int fd = root_open(folders->root, path, O_PATH | O_DIRECTORY);

        if (fd < 0)
                return -1;
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int watch = inotify_add_watch(folders->fd, link, mask | ITSELF | IN_MASK_ADD);
        (void) close(fd);
        return watch;
}

static void folder_arm(const Folders *folders, Folder *folder) {
        g_autofree char *path = g_strdup(folder->path);

        g_clear_pointer(&folder->next, g_free);
        folder->watch = watch_beneath(folders, path, INSIDE);
        while (folder->watch < 0 && *path) {
                char *slash = strrchr(path, '/');
                g_free(folder->next);
                folder->next = g_strdup(slash ? slash + 1 : path);
                *(slash ?: path) = '\0';
                folder->watch = watch_beneath(folders, path, ABOVE);
        }
}

static void arm_device(Folders *folders) {
        g_autofree char *node = root_device_path(folders->root, "kvm");
        g_autofree char *folder = g_path_get_dirname(node);

        folders->device_folder = inotify_add_watch(folders->fd, folder, ABOVE | ITSELF | IN_MASK_ADD);
        folders->device = inotify_add_watch(folders->fd, node, NODE);
}

static bool is_watched(const Folders *folders, int watch) {
        for (unsigned i = 0; i < folders->folders->len; i++)
                if (g_array_index(folders->folders, Folder, i).watch == watch)
                        return true;
        return watch == folders->device_folder || watch == folders->device;
}

/* The device's node is another one after each load; its old watch went with it. */
void folders_arm(Folders *folders) {
        g_autoptr(GArray) before = g_array_new(FALSE, FALSE, sizeof(int));

        g_array_append_val(before, folders->device_folder);
        g_array_append_val(before, folders->device);
        for (unsigned i = 0; i < folders->folders->len; i++) {
                Folder *folder = &g_array_index(folders->folders, Folder, i);
                g_array_append_val(before, folder->watch);
                folder_arm(folders, folder);
        }
        arm_device(folders);
        for (unsigned i = 0; i < before->len; i++) {
                const int watch = g_array_index(before, int, i);
                if (watch >= 0 && !is_watched(folders, watch))
                        (void) inotify_rm_watch(folders->fd, watch);
        }
}

static bool matters(const Folders *folders, const struct inotify_event *event) {
        const char *name = event->len > 0 ? event->name : "";

        if (event->mask & IN_Q_OVERFLOW || event->wd == folders->device)
                return true;
        if (event->wd == folders->device_folder && (event->mask & GONE || g_str_equal(name, "kvm")))
                return true;
        for (unsigned i = 0; i < folders->folders->len; i++) {
                const Folder *folder = &g_array_index(folders->folders, Folder, i);
                if (event->wd != folder->watch)
                        continue;
                if (event->mask & GONE ||
                    (folder->next ? g_str_equal(name, folder->next) : g_str_has_suffix(name, ".conf")))
                        return true;
        }
        return false;
}

bool folders_read(Folders *folders) {
        _Alignas(struct inotify_event) char room[16 * 1024];
        bool any = false;
        ssize_t size;

        while ((size = read(folders->fd, room, sizeof room)) > 0)
                for (const char *at = room; at < room + size;) {
                        const struct inotify_event *event = (const struct inotify_event *) (const void *) at;
                        any |= matters(folders, event);
                        at += sizeof *event + event->len;
                }
        return any;
}

Folders *folders_new(Root *root, int *ret_error) {
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd < 0) {
                *ret_error = -errno;
                return NULL;
        }
        Folders *folders = g_new0(Folders, 1);
        folders->root = root_ref(root);
        folders->fd = fd;
        folders->device = folders->device_folder = -1;
        folders->folders = g_array_new(FALSE, FALSE, sizeof(Folder));
        g_array_set_clear_func(folders->folders, (GDestroyNotify) folder_clear);
        for (const char *const *path = options_folders; *path; path++) {
                Folder folder = {.path = g_strdup(*path), .watch = -1};
                g_array_append_val(folders->folders, folder);
        }
        folders_arm(folders);
        return folders;
}

void folders_free(Folders *folders) {
        if (!folders)
                return;
        g_array_unref(folders->folders);
        (void) close(folders->fd);
        root_unref(folders->root);
        g_free(folders);
}

int folders_fd(const Folders *folders) {
        return folders->fd;
}
