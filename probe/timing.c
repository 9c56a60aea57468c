/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times, each of so many iterations that the clock's own grain and a moment's disturbance are small
 * beside them: bounded by time, not by a number, as the same operation may take a thousand times
 * longer on another host. */

#include <stdlib.h>

#include "clock.h"
#include "layout.h"
#include "rows.h"
#include "timing.h"

#define REPEATS 5
#define ENOUGH_NSEC (20U * 1000U * 1000U)
#define FIRST_COUNT 64U
#define COUNT_MAX (1U << 30)
/* What costs nothing never comes to that: then this is enough, with all that comes with it. */
#define PATIENCE_NSEC (100U * 1000U * 1000U)

/* An iteration of an empty loop takes a cycle or two, below a nanosecond; a software CPU needs more
 * than this. */
#define EMULATED_NSEC 20U

/* Of @count iterations, in as many orders as they need; without what the orders themselves take. */
static bool time_once(Session *session, Operation operation, uint32_t count, uint64_t empty, uint64_t *ret,
                      Report *report) {
        const uint32_t most = operation == OPERATION_TOUCH ? WINDOW_PAGES : count;
        Cost cost;

        *ret = 0;
        for (uint32_t done = 0; done < count; done += most) {
                if (!session_order(session, operation, most, &cost, report))
                        return false;
                *ret += cost.elapsed > empty ? cost.elapsed - empty : 0;
        }
        return true;
}

/* Doubles the iterations until they take long enough. */
static bool find_count(Session *session, Operation operation, uint64_t empty, uint32_t *ret, uint64_t *elapsed,
                       Report *report) {
        for (*ret = FIRST_COUNT;; *ret *= 2) {
                const uint64_t begin = clock_now();
                if (!time_once(session, operation, *ret, empty, elapsed, report))
                        return false;
                if (*elapsed >= ENOUGH_NSEC || clock_now() - begin >= PATIENCE_NSEC || *ret >= COUNT_MAX)
                        return true;
        }
}

static int compare(const void *a, const void *b) {
        const uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

static bool time_row(Session *session, const Row *row, uint64_t empty, Report *report) {
        uint64_t samples[REPEATS];
        uint32_t count = 0;

        if (!find_count(session, row->operation, empty, &count, &samples[0], report))
                return false;
        for (int i = 0; i < REPEATS; i++) {
                if (!time_once(session, row->operation, count, empty, &samples[i], report))
                        return false;
                samples[i] /= count;
        }
        qsort(samples, REPEATS, sizeof samples[0], compare);
        const ReportTime time = {
                        .median = samples[REPEATS / 2],
                        .min = samples[0],
                        .max = samples[REPEATS - 1],
                        .iterations = count,
        };
        report_time(report, session_way_name(session), row->name, &time);
        return true;
}

/* The least that an order takes by itself. */
static bool time_empty(Session *session, uint64_t *ret, Report *report) {
        Cost cost;

        *ret = UINT64_MAX;
        for (int i = 0; i < REPEATS; i++) {
                if (!session_order(session, OPERATION_EMPTY, 0, &cost, report))
                        return false;
                *ret = cost.elapsed < *ret ? cost.elapsed : *ret;
        }
        return true;
}

/* The least of some: a moment's disturbance does not make a CPU an emulated one. */
static bool is_emulated(Session *session, uint64_t empty, bool *ret, Report *report) {
        uint64_t elapsed = 0, least = UINT64_MAX;
        uint32_t count = 0;
        Cost cost;

        if (!find_count(session, OPERATION_LOOP, empty, &count, &elapsed, report))
                return false;
        for (int i = 0; i < REPEATS; i++) {
                if (!session_order(session, OPERATION_LOOP, count, &cost, report))
                        return false;
                least = cost.elapsed < least ? cost.elapsed : least;
        }
        *ret = least / count > EMULATED_NSEC || cost.emulated >= count;
        return true;
}

bool timing_run(Session *session, Report *report) {
        uint64_t empty = 0;

        if (!time_empty(session, &empty, report))
                return false;
        if (session->way == WAY_ALONE && !is_emulated(session, empty, &report->emulated, report))
                return false;
        for (int i = 0; i < ROWS && !report->emulated; i++)
                if (!time_row(session, &rows[i], empty, report))
                        return false;
        return true;
}
