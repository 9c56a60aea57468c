/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a change of a module's parameter takes: our method from call to reply, and in turns with
 * it the bare modprobe -r and modprobe. The parameter is a switch that is on. Between two
 * measurements udev is let finish. Prints a line for each pair: ours, theirs.
 *
 *     toggle-time PAIRS MODULE PARAMETER */

#include <stdbool.h>

#include "bench.h"

static void run(const char *const *argv) {
        if (run_quietly(argv) != 0)
                die(argv[0], "failed");
}

static void settle(void) {
        run((const char *[]) {"udevadm", "settle", NULL});
}

static uint64_t time_theirs(const char *module, const char *parameter, const char *value) {
        char option[256];
        const uint64_t begin = now_ns();

        (void) snprintf(option, sizeof option, "%s=%s", parameter, value);
        run((const char *[]) {"modprobe", "-r", module, NULL});
        run((const char *[]) {"modprobe", module, option, NULL});
        return now_ns() - begin;
}

int main(int argc, char **argv) {
        sd_bus *bus = NULL;

        if (argc != 4)
                die("toggle-time", "PAIRS MODULE PARAMETER are expected");
        check(sd_bus_open_system(&bus), "system bus");
        for (long pair = 0, pairs = strtol(argv[1], NULL, 10); pair < pairs; pair++) {
                /* Ours always changes the value, so that it has files to write and a module to
                 * reload. Each is first as often as the other; theirs then loads what there was. */
                const char *before = pair % 2 == 0 ? "1" : "0", *after = pair % 2 == 0 ? "0" : "1";
                const bool theirs_first = pair / 2 % 2 == 1;
                uint64_t ours, theirs = 0;

                settle();
                if (theirs_first) {
                        theirs = time_theirs(argv[2], argv[3], before);
                        settle();
                }
                ours = change_ns(bus, argv[2], argv[3], after);
                if (!theirs_first) {
                        settle();
                        theirs = time_theirs(argv[2], argv[3], after);
                }
                (void) printf("%lu %lu\n", (unsigned long) ours, (unsigned long) theirs);
        }
        (void) sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
