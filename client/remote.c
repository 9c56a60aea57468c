/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Why ssh did not get us to the bus there. What it says itself goes to our standard error; the rest
 * is told by its exit status: that of the command there, systemd-stdio-bridge, or 255 when it is
 * ssh's own failure (ssh(1), EXIT STATUS). */

#include <errno.h>
#include <glib.h>
#include <sys/wait.h>

#include "remote.h"

#define SSH_FAILED 255
/* Of a shell: there is no such command (POSIX, Shell Command Language, 2.8.2). */
#define COMMAND_NOT_FOUND 127

int remote_check(const char *host, sd_bus_error *error) {
        g_autofree char *path = g_find_program_in_path("ssh");

        if (path)
                return 0;
        (void) sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER,
                                 "%s is reached by ssh, which is not installed here (on Debian: openssh-client)", host);
        return -ENOENT;
}

/* The exit status of ssh, or -1 when it can't be known. It is our only child by now, as neither a
 * pager nor an agent is started before there is a connection; sd-bus still has to wait for it. */
static int ssh_status(int errnum) {
        siginfo_t info = {};

        /* When sd-bus gave up, ssh may run for as long as it likes. */
        if (errnum != ECONNRESET && errnum != ENOTCONN && errnum != EPIPE)
                return -1;
        while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
                if (errno != EINTR)
                        return -1;
        return info.si_code == CLD_EXITED ? info.si_status : -1;
}

void remote_explain(const char *host, int errnum, sd_bus_error *error) {
        const int status = ssh_status(errnum);

        if (status == SSH_FAILED)
                (void) sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER,
                                         "ssh could not log in to %s, or lost it; ssh has said why; try: ssh %s true",
                                         host, host);
        else if (status == COMMAND_NOT_FOUND)
                (void) sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER,
                                         "%s has no systemd-stdio-bridge, which comes with its systemd; try: "
                                         "ssh %s command -v systemd-stdio-bridge",
                                         host, host);
        else if (status >= 0)
                (void) sd_bus_error_setf(
                                error, SD_BUS_ERROR_NO_SERVER,
                                "systemd-stdio-bridge on %s did not get to the system bus there and ended with "
                                "%d; try: ssh %s busctl list",
                                host, status, host);
        else
                (void) sd_bus_error_setf(error, SD_BUS_ERROR_NO_SERVER,
                                         "the system bus of %s can't be reached by ssh (%s); try: ssh %s busctl list",
                                         host, g_strerror(errnum), host);
}
