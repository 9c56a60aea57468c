/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* pkttyagent as a child process. It tells that it is ready by closing the descriptor that it is
 * given, and so does a child that dies. */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

static pid_t agent_pid;

_Noreturn static void agent_exec(pid_t parent, int notify) {
        char number[16];

        /* The agent must not outlive us, however we end. */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
                _exit(1);
        (void) fcntl(notify, F_SETFD, 0);
        (void) g_snprintf(number, sizeof number, "%d", notify);
        (void) execlp("pkttyagent", "pkttyagent", "--notify-fd", number, "--fallback", NULL);
        _exit(127);
}

static void wait_for_hangup(int fd) {
        struct pollfd pollfd = {.fd = fd};

        while (poll(&pollfd, 1, -1) < 0 && errno == EINTR)
                ;
}

void agent_start(void) {
        const pid_t parent = getpid();
        int notify[2];

        if (agent_pid > 0 || geteuid() == 0 || !isatty(STDIN_FILENO) || pipe2(notify, O_CLOEXEC) < 0)
                return;
        agent_pid = fork();
        if (agent_pid == 0)
                agent_exec(parent, notify[1]);
        (void) close(notify[1]);
        if (agent_pid > 0)
                wait_for_hangup(notify[0]);
        (void) close(notify[0]);
}

void agent_stop(void) {
        if (agent_pid <= 0)
                return;
        /* One that was stopped at the terminal could not end. */
        (void) kill(agent_pid, SIGTERM);
        (void) kill(agent_pid, SIGCONT);
        while (waitpid(agent_pid, NULL, 0) < 0 && errno == EINTR)
                ;
        agent_pid = 0;
}
