/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a program uses of the CPU, by what it does with it. Prints a line for each round, in
 * nanoseconds: from fork to exit; of the CPU in all; of that, in its own code; and in that of its
 * guests.
 *
 * The kernel counts the time in a guest as user time, so that it has to be taken off. That can't be
 * done with what wait4() says: there, user and system time are stretched until they come to the
 * time that the program really ran, while that of guests stays as the ticks of the clock have it,
 * of which an emulated machine loses some. The clocks of a process that count ticks tell all in the
 * same measure, as long as it is a zombie. Being samples, they mean something in a run of many
 * ticks only, and as shares.
 *
 *     cpu-time ROUNDS COMMAND [ARGUMENT…] */

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* The kernel's, by which a clock's number is made of a process's: all ticks, or those in user
 * mode. */
enum { TICKS_ALL = 0, TICKS_USER = 1 };

#define GUEST_FIELD 43 /* of proc_pid_stat(5) */

static uint64_t ticks_ns(pid_t pid, int which) {
        const clockid_t clock = (clockid_t) (~(uint32_t) pid << 3 | (uint32_t) which);
        struct timespec t;

        check(clock_gettime(clock, &t) < 0 ? -errno : 0, "The clock of the process");
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static uint64_t guest_ns(pid_t pid) {
        char path[64], line[1024] = "";

        (void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
        FILE *file = fopen(path, "re");
        if (!file || !fgets(line, sizeof line, file))
                die(path, "cannot be read");
        (void) fclose(file);
        /* The second field is a name in parentheses, which may hold anything. */
        const char *field = strrchr(line, ')');
        for (int i = 2; field && i < GUEST_FIELD; i++)
                field = strchr(field + 1, ' ');
        if (!field)
                die(path, "is too short");
        return strtoull(field, NULL, 10) * (1000000000U / (uint64_t) sysconf(_SC_CLK_TCK));
}

static void measure(char **argv) {
        posix_spawn_file_actions_t actions;
        siginfo_t info = {};
        pid_t pid;

        check(-posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
        check(-posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0), "/dev/null");
        const uint64_t begin = now_ns();
        check(-posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ), argv[0]);
        check(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT) < 0 ? -errno : 0, "waitid");
        const uint64_t whole = now_ns() - begin, guest = guest_ns(pid), user = ticks_ns(pid, TICKS_USER);

        if (info.si_code != CLD_EXITED || info.si_status != 0)
                die(argv[0], "failed");
        (void) printf("%lu %lu %lu %lu\n", (unsigned long) whole, (unsigned long) ticks_ns(pid, TICKS_ALL),
                      (unsigned long) (user > guest ? user - guest : 0), (unsigned long) guest);
        check(waitid(P_PID, (id_t) pid, &info, WEXITED) < 0 ? -errno : 0, "waitid");
        (void) posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char **argv) {
        if (argc < 3)
                die("cpu-time", "ROUNDS COMMAND… are missing");
        for (long round = strtol(argv[1], NULL, 10); round > 0; round--)
                measure(argv + 2);
        return EXIT_SUCCESS;
}
