/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done again and again until the user has had enough: --interval and --count, and the time
 * between. */

#include "client.h"

typedef struct Interval {
        double seconds;
        unsigned count; /* how often; 0: until Ctrl-C */
        gint64 next;    /* µs, monotonic: when the turn under way has begun, or begins */
} Interval;

/* From the client's options: @seconds and @count are what holds without them. 0, or the exit status
 * of a wrong usage. */
int interval_parse(const Client *client, double seconds, unsigned count, Interval *ret);
/* When the next turn is (µs, monotonic), for who waits otherwise. */
gint64 interval_next(Interval *interval);
/* Waits for the next turn; false when there is none, or the user has sent SIGINT or SIGTERM. */
bool interval_wait(Interval *interval);
