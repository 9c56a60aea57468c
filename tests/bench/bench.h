/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the measuring programs share: the clock, a way out, other programs, and our own change. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

static inline uint64_t now_ns(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

static inline _Noreturn void die(const char *what, const char *why) {
        (void) fprintf(stderr, "%s: %s\n", what, why);
        exit(EXIT_FAILURE);
}

/* Ends the program when @r is a negative errno. */
static inline void check(int r, const char *what) {
        if (r < 0)
                die(what, strerror(-r));
}

/* Runs a program with its output thrown away: its exit status. */
int run_quietly(const char *const *argv);
/* Sets a parameter over the bus: nanoseconds from call to reply. Ends the program when it fails. */
uint64_t change_ns(sd_bus *bus, const char *module, const char *parameter, const char *value);
