/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long property calls take on the system bus, from this process's send to its receipt of the
 * answer: two services in turns, in batches. Prints a line for each round, nanoseconds for a single
 * call: Get of the one, Get of the other, GetAll of the one, GetAll of the other.
 *
 *     call-time ROUNDS BATCH NAME PATH INTERFACE PROPERTY NAME PATH INTERFACE PROPERTY */

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "bench.h"

typedef struct Target {
        const char *name, *path, *interface, *property;
} Target;

static void call_one(sd_bus *bus, const Target *target, bool all) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r;

        if (all)
                r = sd_bus_call_method(bus, target->name, target->path, "org.freedesktop.DBus.Properties", "GetAll",
                                       &error, &reply, "s", target->interface);
        else
                r = sd_bus_call_method(bus, target->name, target->path, "org.freedesktop.DBus.Properties", "Get",
                                       &error, &reply, "ss", target->interface, target->property);
        if (r < 0)
                die(target->name, error.message ? error.message : strerror(-r));
        (void) sd_bus_message_unref(reply);
}

static unsigned long time_batch(sd_bus *bus, const Target *target, bool all, long batch) {
        const uint64_t begin = now_ns();

        for (long i = 0; i < batch; i++)
                call_one(bus, target, all);
        return (unsigned long) ((now_ns() - begin) / (uint64_t) batch);
}

int main(int argc, char **argv) {
        sd_bus *bus = NULL;

        if (argc != 11)
                die("call-time", "ROUNDS BATCH and twice NAME PATH INTERFACE PROPERTY are expected");
        const long rounds = strtol(argv[1], NULL, 10), batch = strtol(argv[2], NULL, 10);
        const Target targets[] = {{argv[3], argv[4], argv[5], argv[6]}, {argv[7], argv[8], argv[9], argv[10]}};

        check(sd_bus_open_system(&bus), "system bus");
        for (int i = 0; i < 2; i++) /* both are started and warm */
                (void) time_batch(bus, &targets[i], true, batch);
        for (long round = 0; round < rounds; round++)
                for (int i = 0; i < 4; i++)
                        (void) printf("%lu%c", time_batch(bus, &targets[i % 2], i / 2, batch), i < 3 ? ' ' : '\n');
        (void) sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
