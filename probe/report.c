/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Collects what is found out. Printing is print.c's. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

bool conclude(Report *report, Result result, const char *format, ...) {
        va_list arguments;

        report->result = result;
        va_start(arguments, format);
        (void) vsnprintf(report->message, sizeof report->message, format, arguments);
        va_end(arguments);
        return false;
}

void report_add(Report *report, const char *format, ...) {
        const size_t length = strlen(report->message);
        char *end = report->message + length;
        va_list arguments;

        /* Cut off rather than run over. */
        (void) snprintf(end, sizeof report->message - length, "%s", length > 0 ? " " : "");
        va_start(arguments, format);
        (void) vsnprintf(end + strlen(end), sizeof report->message - strlen(report->message), format, arguments);
        va_end(arguments);
}

static void full_name(char ret[static NAME_SIZE], const char *group, const char *name) {
        (void) snprintf(ret, NAME_SIZE, "%s%s%s", group ?: "", group ? "." : "", name);
}

void report_count(Report *report, const char *group, const char *name, uint64_t value) {
        if (report->n_counts == REPORT_ROWS)
                return;
        ReportCount *count = &report->counts[report->n_counts++];
        full_name(count->name, group, name);
        count->value = value;
}

bool report_get_count(const Report *report, const char *group, const char *name, uint64_t *ret) {
        char wanted[NAME_SIZE];

        full_name(wanted, group, name);
        for (size_t i = 0; i < report->n_counts; i++)
                if (strcmp(report->counts[i].name, wanted) == 0) {
                        *ret = report->counts[i].value;
                        return true;
                }
        return false;
}

void report_time(Report *report, const char *group, const char *name, const ReportTime *time) {
        if (report->n_times == REPORT_ROWS)
                return;
        ReportTime *row = &report->times[report->n_times++];
        *row = *time;
        full_name(row->name, group, name);
}

void report_parameter(Report *report, const char *module, const char *name, const char *value) {
        if (report->n_parameters == REPORT_ROWS)
                return;
        ReportParameter *parameter = &report->parameters[report->n_parameters++];
        full_name(parameter->name, module, name);
        (void) snprintf(parameter->value, sizeof parameter->value, "%s", value);
}

int report_exit_status(const Report *report) {
        static const int statuses[RESULT_MAX] = {
                        [RESULT_ON] = 0,     [RESULT_OFF] = 3,    [RESULT_UNSUPPORTED] = 6,
                        [RESULT_DENIED] = 4, [RESULT_BROKEN] = 1, [RESULT_HANG] = 1,
        };

        return statuses[report->result];
}
