/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns which clock durations are taken from. The time of day is not this one's. */

#include <time.h>

#include "clock.h"

uint64_t clock_now(void) {
        struct timespec time;

        (void) clock_gettime(CLOCK_MONOTONIC, &time);
        return (uint64_t) time.tv_sec * 1000000000U + (uint64_t) time.tv_nsec;
}
