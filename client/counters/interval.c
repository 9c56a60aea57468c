/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting by the clock. It must not know what for. */

#include <math.h>
#include <signal.h>
#include <time.h>

#include "interval.h"
#include "loop.h"

#define SECONDS_MIN 0.05
#define SECONDS_MAX 86400.0

static bool parse_seconds(const char *word, double *ret) {
        char *end;

        *ret = g_ascii_strtod(word, &end);
        return *word && !*end && isfinite(*ret) && *ret >= SECONDS_MIN && *ret <= SECONDS_MAX;
}

int interval_parse(const Client *client, double seconds, unsigned count, Interval *ret) {
        guint64 number = count;

        *ret = (Interval) {.seconds = seconds};
        if (client->interval && !parse_seconds(client->interval, &ret->seconds))
                return client_usage(client, "--interval takes seconds, from 0.05 to 86400, not \"%s\"",
                                    client->interval);
        if (client->count && !g_ascii_string_to_unsigned(client->count, 10, 1, G_MAXUINT, &number, NULL))
                return client_usage(client, "--count takes a number from 1 on, not \"%s\"", client->count);
        ret->count = (unsigned) number;
        ret->next = g_get_monotonic_time();
        loop_hold_signals();
        return 0;
}

/* A turn that took too long is not made up for. */
gint64 interval_next(Interval *interval) {
        interval->next = MAX(interval->next + (gint64) (interval->seconds * 1e6), g_get_monotonic_time());
        return interval->next;
}

bool interval_wait(Interval *interval) {
        sigset_t signals;

        if (interval->count == 1)
                return false;
        interval->count -= interval->count > 0;
        const gint64 left = MAX(interval_next(interval) - g_get_monotonic_time(), 0);
        const struct timespec time = {.tv_sec = left / G_USEC_PER_SEC, .tv_nsec = left % G_USEC_PER_SEC * 1000};
        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        return sigtimedwait(&signals, NULL, &time) < 0;
}
