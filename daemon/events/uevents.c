/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A netlink socket and a look at the few keys that matter. Whoever is not the kernel is not
 * listened to. */

#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uevents.h"

#define KERNEL_GROUP 1U
/* The kernel's own limit is 2048 (UEVENT_BUFFER_SIZE) and the first line. */
#define EVENT_MAX 8192U
/* So many at a time: the rest keeps the socket readable. */
#define BURST_MAX 256U

int uevents_open(void) {
        const union {
                struct sockaddr_nl netlink;
                struct sockaddr any;
        } address = {.netlink = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP}};
        const int on = 1;
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ||
            bind(fd, &address.any, sizeof address.netlink) < 0) {
                int r = -errno;
                (void) close(fd);
                return r;
        }
        return fd;
}

/* The value of @key among the lines, or NULL. */
static const char *find(const char *text, const char *end, const char *key) {
        const size_t length = strlen(key);

        for (const char *line = text; line < end; line += strlen(line) + 1)
                if (strncmp(line, key, length) == 0 && line[length] == '=')
                        return line + length + 1;
        return NULL;
}

UeventNews uevent_judge(const char *text, size_t size) {
        if (size == 0 || text[size - 1] != '\0')
                return UEVENT_NONE;

        const char *end = text + size;
        const char *subsystem = find(text, end, "SUBSYSTEM");
        if (g_strcmp0(subsystem, "cpu") == 0)
                return UEVENT_CPUS;
        if (g_strcmp0(subsystem, "misc") == 0)
                return g_strcmp0(find(text, end, "DEVNAME"), "kvm") == 0 ? UEVENT_KVM : UEVENT_NONE;
        if (g_strcmp0(subsystem, "module") != 0)
                return UEVENT_NONE;
        const char *path = find(text, end, "DEVPATH");
        const bool ours = path && (g_str_equal(path, "/module/kvm") || g_str_has_prefix(path, "/module/kvm_"));
        return ours ? UEVENT_KVM : UEVENT_NONE;
}

static bool is_from_kernel(const struct msghdr *message, const struct sockaddr_nl *sender) {
        struct ucred credentials = {.uid = (uid_t) -1};

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR((struct msghdr *) message, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS &&
                    c->cmsg_len == CMSG_LEN(sizeof credentials))
                        memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
        return message->msg_namelen == sizeof *sender && sender->nl_pid == 0 && sender->nl_groups == KERNEL_GROUP &&
               credentials.uid == 0;
}

UeventNews uevents_read(int fd) {
        UeventNews news = UEVENT_NONE;

        for (unsigned n = 0; n < BURST_MAX; n++) {
                union {
                        struct cmsghdr header;
                        char room[CMSG_SPACE(sizeof(struct ucred))];
                } control;
                char text[EVENT_MAX];
                struct sockaddr_nl sender = {};
                struct iovec iov = {.iov_base = text, .iov_len = sizeof text};
                struct msghdr message = {
                                .msg_name = &sender,
                                .msg_namelen = sizeof sender,
                                .msg_iov = &iov,
                                .msg_iovlen = 1,
                                .msg_control = &control,
                                .msg_controllen = sizeof control,
                };

                ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0)
                        return errno == ENOBUFS ? UEVENT_ALL : news;
                if (!(message.msg_flags & MSG_TRUNC) && is_from_kernel(&message, &sender))
                        news |= uevent_judge(text, (size_t) size);
        }
        return news;
}
