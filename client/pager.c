/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pager's process. $PAGER is split into words here and started without a shell. */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pager.h"

/* Somebody runs us with rights that are not their own, such as sudo's, to run us and nothing else:
 * a pager that starts a shell, or one of their choice, would give those rights away. */
static bool is_lent(void) {
        return geteuid() != getuid() || (geteuid() == 0 && (getenv("SUDO_UID") || getenv("PKEXEC_UID")));
}

/* NULL when the user wants none. */
static GStrv pager_command(void) {
        const char *wish = getenv("PAGER");
        GStrv words = NULL;

        if (wish && (!*wish || g_str_equal(wish, "cat")))
                return NULL;
        if (!wish || is_lent())
                return g_strsplit("less", " ", -1);
        return g_shell_parse_argv(wish, NULL, &words, NULL) ? words : NULL;
}

_Noreturn static void pager_exec(char **command, int input, int failed) {
        struct sigaction defaults = {.sa_handler = SIG_DFL};

        (void) sigaction(SIGPIPE, &defaults, NULL);
        if (is_lent())
                (void) setenv("LESSSECURE", "1", true);
        (void) setenv("LESS", "FRSX", is_lent()); /* quit when it fits, colours, no wrapping, leave the screen alone */
        (void) setenv("LESSCHARSET", "utf-8", false);
        if (dup2(input, STDIN_FILENO) >= 0)
                (void) execvp(command[0], command);

        const int error = errno;
        (void) !write(failed, &error, sizeof error);
        _exit(127);
}

/* The reader may leave before the end: that is no error. */
static void write_all(int fd, const char *text) {
        size_t left = strlen(text);

        while (left > 0) {
                const ssize_t n = write(fd, text, left);
                if (n < 0 && errno != EINTR)
                        return;
                if (n > 0) {
                        text += n;
                        left -= (size_t) n;
                }
        }
}

/* @failed is closed by a successful execve(), and nothing comes out of it. */
static bool has_started(int failed) {
        int error;
        ssize_t n;

        do
                n = read(failed, &error, sizeof error);
        while (n < 0 && errno == EINTR);
        return n == 0;
}

static void wait_for(pid_t pid) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
}

/* Ctrl-C is for the pager, which goes on. */
static bool pager_feed(pid_t pid, int input, int failed, const char *text) {
        struct sigaction ignore = {.sa_handler = SIG_IGN}, old_pipe, old_int;

        (void) sigaction(SIGPIPE, &ignore, &old_pipe);
        (void) sigaction(SIGINT, &ignore, &old_int);
        const bool started = has_started(failed);
        if (started)
                write_all(input, text);
        (void) close(input);
        (void) close(failed);
        wait_for(pid);
        (void) sigaction(SIGPIPE, &old_pipe, NULL);
        (void) sigaction(SIGINT, &old_int, NULL);
        return started;
}

bool pager_show(const char *text) {
        g_auto(GStrv) command = pager_command();
        int input[2], failed[2];

        if (!command || pipe2(input, O_CLOEXEC) < 0)
                return false;
        if (pipe2(failed, O_CLOEXEC) < 0) {
                (void) close(input[0]);
                (void) close(input[1]);
                return false;
        }

        const pid_t pid = fork();
        if (pid == 0)
                pager_exec(command, input[0], failed[1]);
        (void) close(input[0]);
        (void) close(failed[1]);
        if (pid < 0) {
                (void) close(input[1]);
                (void) close(failed[0]);
                return false;
        }
        return pager_feed(pid, input[1], failed[0], text);
}
