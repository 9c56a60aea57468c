/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long commands take from fork to exit, in turns, so that whatever else the machine does hits
 * all alike. Prints a line for each round: the nanoseconds of each command.
 *
 *     spawn-time [--any-status] ROUNDS COMMAND [ARGUMENT…] -- COMMAND [ARGUMENT…] … */

#include <stdbool.h>

#include "bench.h"

#define COMMANDS_MAX 8

static int split(char **argv, char ***commands) {
        int n = 0;

        while (*argv && n < COMMANDS_MAX) {
                commands[n++] = argv;
                while (*argv && strcmp(*argv, "--") != 0)
                        argv++;
                if (*argv)
                        *argv++ = NULL;
        }
        return n;
}

int main(int argc, char **argv) {
        char **commands[COMMANDS_MAX];
        const bool any = argc > 1 && strcmp(argv[1], "--any-status") == 0;

        if (argc < 3 + any)
                die("spawn-time", "ROUNDS COMMAND… are missing");
        const long rounds = strtol(argv[1 + any], NULL, 10);
        const int n = split(argv + 2 + any, commands);

        for (long round = 0; round < rounds; round++)
                for (int i = 0; i < n; i++) {
                        const uint64_t begin = now_ns();
                        const int status = run_quietly((const char *const *) commands[i]);
                        const uint64_t end = now_ns();

                        if (status != 0 && !any)
                                die(commands[i][0], "failed");
                        (void) printf("%lu%c", (unsigned long) (end - begin), i + 1 < n ? ' ' : '\n');
                }
        return EXIT_SUCCESS;
}
