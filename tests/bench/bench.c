/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Starting other programs, and changing a parameter. */

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TIMEOUT_USEC (120U * 1000U * 1000U)

int run_quietly(const char *const *argv) {
        posix_spawn_file_actions_t actions;
        int status;
        pid_t pid;

        check(-posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                check(-posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0), "/dev/null");
        check(-posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *) argv, environ), argv[0]);
        (void) posix_spawn_file_actions_destroy(&actions);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        die(argv[0], strerror(errno));
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

uint64_t change_ns(sd_bus *bus, const char *module, const char *parameter, const char *value) {
        sd_bus_message *call = NULL, *reply = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        char path[256];

        (void) snprintf(path, sizeof path, "/org/nestvirt1/module/%s", module);
        check(sd_bus_message_new_method_call(bus, &call, "org.nestvirt1", path, "org.nestvirt1.Module",
                                             "SetParameters"),
              "SetParameters");
        check(sd_bus_message_append(call, "a{ss}t", 1, parameter, value, UINT64_C(0)), "SetParameters");
        const uint64_t begin = now_ns();
        if (sd_bus_call(bus, call, TIMEOUT_USEC, &error, &reply) < 0)
                die("SetParameters", error.message ? error.message : error.name);
        const uint64_t end = now_ns();
        (void) sd_bus_message_unref(call);
        (void) sd_bus_message_unref(reply);
        return end - begin;
}
