/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the kernel says of the tracepoints kvm:kvm_exit and kvm:kvm_nested_vmexit, and the records
 * that they write (include/uapi/linux/perf_event.h, struct trace_entry of
 * include/linux/trace_events.h). */

#include <glib.h>
#include <stdbool.h>

struct perf_event_header;

typedef struct Tracepoint {
        guint64 id;
        unsigned offset; /* of exit_reason in a record */
} Tracepoint;

/* From the texts of its files "id" and "format" in tracefs; false when they can't be understood. */
bool tracepoint_parse(const char *id, const char *format, Tracepoint *ret);

/* An exit of the process @pid for @reason; @nested: the one that tells that it was of a guest's
 * guest. */
typedef void (*TracepointHit)(guint32 pid, guint32 reason, bool nested, void *userdata);

/* Both, and what becomes of their records. */
typedef struct Tracepoints {
        Tracepoint exits, nested;
        guint64 lost; /* records that came too fast */
        TracepointHit hit;
        void *userdata;
} Tracepoints;

/* A RingRecord: @data is Tracepoints. */
void tracepoints_take(const struct perf_event_header *record, void *data);
