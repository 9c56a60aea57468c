/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One reading of KVM's counters, and what two of them say together. It prints nothing. */

#include <glib.h>
#include <stdbool.h>

#include "value.h"

typedef struct Sample {
        gint64 time;          /* µs, monotonic */
        gint64 wall;          /* µs since the epoch */
        Value *statistics;    /* as GetStatistics answers */
        GHashTable *machines; /* its names, and its counters (const Value*) */
} Sample;

/* One row: a counter of a machine. */
typedef struct Row {
        const char *name; /* the sample's */
        guint64 total;
        double rate; /* in a second */
        bool has_rate;
} Row;

/* Takes @statistics over. */
Sample *sample_new(Value *statistics);
void sample_free(Sample *sample);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Sample, sample_free)

/* The machines' names, sorted: the one that exits most comes first. @before may be NULL, here and
 * below. */
GPtrArray *sample_machines(const Sample *now, const Sample *before);
/* Row*: those that matter for nesting first, then those that change most. */
GPtrArray *sample_rows(const Sample *now, const Sample *before, const char *machine);
/* It is one of those that matter for nesting. */
bool row_is_first(const Row *row);
bool sample_has(const Sample *sample, const char *machine);
/* "PID-FD" of the process and its descriptor, by which the kernel knows it; "" when that is not
 * known (the sample's, or @machine itself). */
const char *sample_process(const Sample *now, const char *machine);
/* How many machines the daemon does not tell of. */
guint32 sample_omitted(const Sample *now);
/* What is said of a machine besides: how many are withheld, and why (@ret is the sample's, or
 * ""). */
unsigned sample_withheld(const Sample *now, const char *machine, const char **ret_reason);
/* By machine and counter: all rates. */
Value *sample_rates(const Sample *now, const Sample *before);
