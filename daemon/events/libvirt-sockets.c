/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One watch: on the folder of the sockets, or, while that is not there, on the one above it. */

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "hypervisor.h"
#include "libvirt-sockets.h"

#define COMES (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct LibvirtSockets {
        Root *root;
        int fd;
        int watch;   /* -1: none */
        bool inside; /* the folder itself is watched */
};

static void sockets_arm(LibvirtSockets *sockets) {
        g_autofree char *folder = root_absolute(sockets->root, HYPERVISOR_FOLDER), *above = g_path_get_dirname(folder);
        const int before = sockets->watch;

        sockets->watch = inotify_add_watch(sockets->fd, folder, COMES);
        sockets->inside = sockets->watch >= 0;
        if (!sockets->inside)
                sockets->watch = inotify_add_watch(sockets->fd, above, COMES);
        if (before >= 0 && before != sockets->watch)
                (void) inotify_rm_watch(sockets->fd, before);
}

LibvirtSockets *libvirt_sockets_new(Root *root, int *ret_error) {
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd < 0) {
                *ret_error = -errno;
                return NULL;
        }
        LibvirtSockets *sockets = g_new(LibvirtSockets, 1);
        *sockets = (LibvirtSockets) {.root = root_ref(root), .fd = fd, .watch = -1};
        sockets_arm(sockets);
        return sockets;
}

void libvirt_sockets_free(LibvirtSockets *sockets) {
        if (!sockets)
                return;
        (void) close(sockets->fd);
        root_unref(sockets->root);
        g_free(sockets);
}

int libvirt_sockets_fd(const LibvirtSockets *sockets) {
        return sockets->fd;
}

bool libvirt_sockets_present(const LibvirtSockets *sockets) {
        for (const char *const *path = hypervisor_sockets; *path; path++)
                if (root_exists(sockets->root, *path))
                        return true;
        return false;
}

static bool is_ours(const LibvirtSockets *sockets, const char *name) {
        if (!sockets->inside)
                return g_str_has_suffix(HYPERVISOR_FOLDER, name);
        for (const char *const *path = hypervisor_sockets; *path; path++)
                if (g_str_equal(strrchr(*path, '/') + 1, name))
                        return true;
        return false;
}

bool libvirt_sockets_read(LibvirtSockets *sockets) {
        _Alignas(struct inotify_event) char room[8 * 1024];
        bool any = false, moved = false;
        ssize_t size;

        while ((size = read(sockets->fd, room, sizeof room)) > 0)
                for (const char *at = room; at < room + size;) {
                        const struct inotify_event *event = (const struct inotify_event *) (const void *) at;
                        at += sizeof *event + event->len;
                        if (event->wd != sockets->watch && !(event->mask & IN_Q_OVERFLOW))
                                continue;
                        const bool ours = event->len == 0 || is_ours(sockets, event->name);
                        any |= ours;
                        moved |= ours && (!sockets->inside || event->len == 0);
                }
        if (moved)
                sockets_arm(sockets);
        return any && libvirt_sockets_present(sockets);
}
