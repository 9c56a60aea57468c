/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Takes the trees from the socket. How one is served is the daemon's. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "collection.h"
#include "log.h"
#include "trees.h"

/* The one descriptor of a message, or -1: there is none, or there are others. */
static int take_descriptor(struct msghdr *header) {
        int fd = -1;

        for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part))
                if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
                    part->cmsg_len == CMSG_LEN(sizeof fd))
                        memcpy(&fd, CMSG_DATA(part), sizeof fd);
        return fd;
}

/* 1 and a tree, 0 at the end, or -errno. */
static int receive(int control, char **ret_path, int *ret_peer) {
        char path[PATH_MAX];
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } rights = {};
        struct iovec iov = {.iov_base = path, .iov_len = sizeof path};
        struct msghdr header = {
                        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};
        ssize_t size;

        do
                size = recvmsg(control, &header, MSG_CMSG_CLOEXEC);
        while (size < 0 && errno == EINTR);
        if (size <= 0)
                return size < 0 ? -errno : 0;
        *ret_peer = take_descriptor(&header);
        if (*ret_peer < 0 || header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
                if (*ret_peer >= 0)
                        (void) close(*ret_peer);
                return -EBADMSG;
        }
        *ret_path = g_strndup(path, (gsize) size);
        return 1;
}

/* Takes over @peer. Whoever has the other end learns from its end that there was nothing to be
 * served. */
static void serve(const char *path, int peer, const DaemonSettings *settings) {
        DaemonSettings ours = *settings;
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = collection_find(path);
        g_autoptr(Root) root = root_new(folder, NULL, &error);
        Loader *loader = root ? loader_kmod_new(root, &error) : NULL;

        ours.peer = peer;
        if (loader) {
                (void) daemon_run(&ours, root, loader);
                loader->free(loader);
        } else {
                log_error("%s", error->message);
                (void) close(peer);
        }
}

int trees_serve(int control, const DaemonSettings *settings) {
        char *path = NULL;
        int peer = -1, r;

        /* What goes wrong is for who has started us, not for the journal of this machine. */
        (void) log_set_target("console");
        (void) log_set_level("warning");
        while ((r = receive(control, &path, &peer)) > 0) {
                serve(path, peer, settings);
                g_clear_pointer(&path, g_free);
        }
        if (r < 0)
                log_error("Cannot take a tree from descriptor %d: %s", control, strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
