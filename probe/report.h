/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the probe has found out. Every step returns true to go on, and false when the report has its
 * conclusion. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum Result {
        RESULT_ON,          /* L2 ran */
        RESULT_OFF,         /* this host could, and is told not to */
        RESULT_UNSUPPORTED, /* no KVM, or one that has no nesting to offer */
        RESULT_DENIED,      /* the caller may not open /dev/kvm */
        RESULT_BROKEN,      /* L2 should have run, and did not */
        RESULT_HANG,        /* the watchdog ended it */
        RESULT_MAX
} Result;

/* Static strings and short ones of sysfs; enough for all that there can be (table.c: six operations
 * and more in three ways). */
#define REPORT_ROWS 64
#define NAME_SIZE 64
#define VALUE_SIZE 64
#define MESSAGE_SIZE 768

typedef struct ReportCount {
        char name[NAME_SIZE];
        uint64_t value;
} ReportCount;

/* Nanoseconds for one operation. */
typedef struct ReportTime {
        char name[NAME_SIZE];
        uint64_t median, min, max;
        uint64_t iterations; /* of one repeat */
} ReportTime;

typedef struct ReportParameter {
        char name[NAME_SIZE]; /* "kvm_amd.nested" */
        char value[VALUE_SIZE];
} ReportParameter;

typedef struct Report {
        Result result;
        char message[MESSAGE_SIZE];
        ReportParameter parameters[REPORT_ROWS];
        size_t n_parameters;
        ReportCount counts[REPORT_ROWS];
        size_t n_counts;
        ReportTime times[REPORT_ROWS];
        size_t n_times;
        bool emulated; /* guest code is emulated here: there are no times, as they would mean nothing */
} Report;

/* The last word counts. Always false, for "return conclude(…)". */
bool conclude(Report *report, Result result, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One more sentence. */
void report_add(Report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of a name with two parts, "shadow-on-npt" and "round_trip"; @group may be NULL. */
void report_count(Report *report, const char *group, const char *name, uint64_t value);
/* false: there is none of that name. */
bool report_get_count(const Report *report, const char *group, const char *name, uint64_t *ret);
void report_time(Report *report, const char *group, const char *name, const ReportTime *time);
void report_parameter(Report *report, const char *module, const char *name, const char *value);

int report_exit_status(const Report *report);
