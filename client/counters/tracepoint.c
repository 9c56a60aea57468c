/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parses the format and takes records apart. It must not open anything, and must not know which
 * reason means what. */

#include <linux/perf_event.h>
#include <string.h>

#include "tracepoint.h"

/* "field:unsigned int exit_reason; offset:8; size:4; signed:0;" */
static bool parse_format(const char *format, unsigned *ret_offset) {
        const char *field = strstr(format, " exit_reason;"), *offset = field ? strstr(field, "offset:") : NULL;
        const guint64 value = offset ? g_ascii_strtoull(offset + strlen("offset:"), NULL, 10) : G_MAXUINT64;

        *ret_offset = (unsigned) MIN(value, G_MAXUINT16);
        return value < G_MAXUINT16;
}

bool tracepoint_parse(const char *id, const char *format, Tracepoint *ret) {
        g_autofree char *number = g_strchomp(g_strdup(id));

        return g_ascii_string_to_unsigned(number, 10, 1, G_MAXUINT32, &ret->id, NULL) &&
               parse_format(format, &ret->offset);
}

/* After the header: pid, tid, the size of what the tracepoint says, and that, which begins with the
 * tracepoint's id. */
static void take_sample(const Tracepoints *points, const guint8 *body, gsize size) {
        guint32 pid, raw_size, reason;
        guint16 id;
        const gsize raw = 3 * sizeof(guint32);

        if (size < raw + sizeof id)
                return;
        memcpy(&pid, body, sizeof pid);
        memcpy(&raw_size, body + 2 * sizeof(guint32), sizeof raw_size);
        memcpy(&id, body + raw, sizeof id);
        const Tracepoint *point = id == points->exits.id    ? &points->exits
                                  : id == points->nested.id ? &points->nested
                                                            : NULL;
        if (!point || raw_size > size - raw || point->offset + sizeof reason > raw_size)
                return;
        memcpy(&reason, body + raw + point->offset, sizeof reason);
        points->hit(pid, reason, point == &points->nested, points->userdata);
}

void tracepoints_take(const struct perf_event_header *record, void *data) {
        Tracepoints *points = data;
        const guint8 *body = (const guint8 *) (record + 1);
        const gsize size = record->size - sizeof *record;
        guint64 lost;

        if (record->type == PERF_RECORD_SAMPLE)
                take_sample(points, body, size);
        else if (record->type == PERF_RECORD_LOST && size >= 2 * sizeof lost) {
                memcpy(&lost, body + sizeof lost, sizeof lost);
                points->lost += lost;
        }
}
