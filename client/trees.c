/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starts the daemon, once, and hands it a socket for each tree. What is said on that is
 * connection.c's. */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "trees.h"

/* The daemon's end of the socket on which it is told of trees. */
#define CONTROL_FD 3
/* As the bus has it (the D-Bus specification does not name it; dbus-daemon and systemd do). */
#define ERROR_EXEC_FAILED "org.freedesktop.DBus.Error.Spawn.ExecFailed"

struct Trees {
        int control; /* -1: there is no daemon yet */
        pid_t daemon;
};

Trees *trees_new(void) {
        Trees *trees = g_new(Trees, 1);

        *trees = (Trees) {.control = -1, .daemon = -1};
        return trees;
}

void trees_free(Trees *trees) {
        if (!trees)
                return;
        if (trees->control >= 0)
                (void) close(trees->control);
        if (trees->daemon > 0)
                while (waitpid(trees->daemon, NULL, 0) < 0 && errno == EINTR)
                        continue;
        g_free(trees);
}

/* The one that has come with us; another one for tests. */
static const char *program(void) {
        return secure_getenv("NESTVIRTD") ?: LIBEXECDIR "/nestvirtd";
}

static int spawn(int control, pid_t *ret) {
        static char option[] = "--socket=" G_STRINGIFY(CONTROL_FD);
        char *arguments[] = {(char *) program(), option, NULL};
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);

        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_adddup2(&actions, control, CONTROL_FD);
        if (r == 0)
                r = posix_spawn(ret, program(), &actions, NULL, arguments, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static int start(Trees *trees, sd_bus_error *error) {
        int pair[2], r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;

        if (r < 0)
                return r;
        r = spawn(pair[1], &trees->daemon);
        (void) close(pair[1]);
        if (r >= 0)
                trees->control = pair[0];
        else {
                (void) close(pair[0]);
                (void) sd_bus_error_setf(error, ERROR_EXEC_FAILED, "%s, which looks at it, can't be started: %s",
                                         program(), g_strerror(-r));
        }
        return r;
}

/* Said here, where it is known what the user has typed. */
static int check_folder(const char *path, sd_bus_error *error) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -errno;

        if (fd >= 0)
                return close(fd);
        (void) sd_bus_error_setf(error, r == -EACCES ? SD_BUS_ERROR_ACCESS_DENIED : SD_BUS_ERROR_FILE_NOT_FOUND,
                                 "%s can't be looked at: %s", path, g_strerror(-r));
        return r;
}

static int hand_over(const Trees *trees, const char *path, int fd) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof fd)];
        } rights = {.header = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
        struct iovec iov = {.iov_base = (char *) path, .iov_len = strlen(path)};
        const struct msghdr header = {
                        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &rights, .msg_controllen = sizeof rights};

        memcpy(CMSG_DATA(&rights.header), &fd, sizeof fd);
        return sendmsg(trees->control, &header, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Takes over @fd. */
static int speak(int fd, sd_bus **ret) {
        sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r < 0) {
                (void) close(fd);
                return r;
        }
        r = sd_bus_set_fd(bus, fd, fd);
        if (r < 0)
                (void) close(fd);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                (void) sd_bus_unref(bus);
        else
                *ret = bus;
        return r;
}

int trees_open(Trees *trees, const char *path, sd_bus **ret, sd_bus_error *error) {
        int pair[2], r = check_folder(path, error);

        if (r >= 0 && trees->control < 0)
                r = start(trees, error);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        r = hand_over(trees, path, pair[1]);
        (void) close(pair[1]);
        if (r >= 0)
                return speak(pair[0], ret);
        (void) close(pair[0]);
        return r;
}
