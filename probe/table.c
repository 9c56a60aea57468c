/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns how exits are measured: how often, and what is taken off. The cost of one operation is the
 * difference between an order of many and one of fewer, so that what an order costs by itself is no
 * part of it. Which operations is rows.c's, and how long they take timing.c's. */

#include "layout.h"
#include "rows.h"
#include "session.h"
#include "table.h"
#include "timing.h"

#define REPEATS 3
/* An order that takes so long runs on a CPU that is emulated itself, where there is nothing that
 * comes on top. */
#define SLOW_NSEC (50U * 1000U * 1000U)
#define PROCESSES 16

/* The least of the repeats: what comes on top is not the guest's. */
static bool measure(Session *session, Operation operation, uint32_t count, uint64_t *ret, Report *report) {
        Cost cost;

        *ret = UINT64_MAX;
        for (int i = 0; i < REPEATS; i++) {
                if (!session_order(session, operation, count, &cost, report))
                        return false;
                *ret = cost.exits < *ret ? cost.exits : *ret;
                if (cost.elapsed > SLOW_NSEC)
                        break;
        }
        return true;
}

static uint64_t divide(uint64_t exits, uint64_t base, uint64_t n) {
        return exits > base ? (exits - base + n / 2) / n : 0;
}

static bool measure_row(Session *session, const Row *row, const char *group, Report *report) {
        uint64_t few, many;

        if (!measure(session, row->operation, row->few, &few, report) ||
            !measure(session, row->operation, row->many, &many, report))
                return false;
        report_count(report, group, row->name, divide(many, few, row->many - row->few));
        return true;
}

/* So that nothing that is measured is the first access of L2 to its own code and stack. */
static bool warm_up(Session *session, Report *report) {
        Cost cost;

        for (Operation operation = OPERATION_EMPTY; operation < OPERATION_MAX; operation++)
                if (!session_order(session, operation, 0, &cost, report))
                        return false;
        return session_order(session, OPERATION_PORT, 1, &cost, report);
}

static bool measure_cold(Session *session, const char *group, Report *report) {
        uint64_t empty;
        Cost cold;

        if (!measure(session, OPERATION_EMPTY, 0, &empty, report) ||
            !session_order(session, OPERATION_TOUCH, WINDOW_PAGES, &cold, report))
                return false;
        report_count(report, group, "fresh_page_cold", divide(cold.exits, empty, WINDOW_PAGES));
        return true;
}

/* A kernel that counts no exits has no table. */
static bool measure_way(Session *session, Report *report) {
        const char *group = session_way_name(session);
        uint64_t exits;

        if (!warm_up(session, report))
                return false;
        if (!stats_has(&session->vm.stats, STAT_EXITS))
                return true;
        if (!measure_cold(session, group, report))
                return false;
        for (size_t i = 0; i < ROWS; i++)
                if (!measure_row(session, &rows[i], group, report))
                        return false;
        if (!measure(session, OPERATION_WORKLOAD, PROCESSES, &exits, report))
                return false;
        report_count(report, group, "workload", exits);
        return true;
}

bool table_run(const Kvm *kvm, bool times, Tamper tamper, Report *report) {
        Session session;
        bool done = true;

        for (Way way = WAY_ALONE; done && way < (kvm->paging ? WAY_MAX : WAY_NESTED); way++) {
                done = session_open(&session, kvm, way, tamper, report) && measure_way(&session, report) &&
                       (!times || timing_run(&session, report));
                session_close(&session);
        }
        return done;
}
