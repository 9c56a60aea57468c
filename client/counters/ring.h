/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The memory that the kernel shares with who counts events: records in a ring
 * (perf_event_open(2)). */

#include <glib.h>
#include <linux/perf_event.h>

typedef struct Ring {
        struct perf_event_mmap_page *page; /* the first page, the data follow at data_offset */
        guint8 *whole;                     /* a record that wraps around, put together; 64 KiB */
} Ring;

typedef void (*RingRecord)(const struct perf_event_header *record, void *userdata);

/* @page: as mmap() gave it; it stays the caller's. */
Ring *ring_new(struct perf_event_mmap_page *page);
void ring_free(Ring *ring);
/* Hands over all that there is, and gives the room back. */
void ring_drain(Ring *ring, RingRecord record, void *userdata);
