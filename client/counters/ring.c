/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Walks over a ring. It must not know what the records mean, and trusts the kernel's positions, but
 * not the sizes in the records. */

#include <string.h>

#include "ring.h"

#define RECORD_MAX ((gsize) G_MAXUINT16)

Ring *ring_new(struct perf_event_mmap_page *page) {
        Ring *ring = g_new(Ring, 1);

        *ring = (Ring) {.page = page, .whole = g_malloc(RECORD_MAX)};
        return ring;
}

void ring_free(Ring *ring) {
        if (!ring)
                return;
        g_free(ring->whole);
        g_free(ring);
}

/* The size is a power of two. */
static void copy(const Ring *ring, guint64 position, gsize size) {
        const guint8 *data = (const guint8 *) ring->page + ring->page->data_offset;
        const gsize at = (gsize) (position & (ring->page->data_size - 1));
        const gsize first = MIN(size, (gsize) ring->page->data_size - at);

        memcpy(ring->whole, data + at, first);
        memcpy(ring->whole + first, data, size - first);
}

void ring_drain(Ring *ring, RingRecord record, void *userdata) {
        const guint64 head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
        guint64 tail = ring->page->data_tail;

        while (head - tail >= sizeof(struct perf_event_header)) {
                struct perf_event_header header;
                copy(ring, tail, sizeof header);
                memcpy(&header, ring->whole, sizeof header);
                if (header.size < sizeof header || header.size > head - tail)
                        break;
                copy(ring, tail, header.size);
                record((const struct perf_event_header *) (const void *) ring->whole, userdata);
                tail += header.size;
        }
        __atomic_store_n(&ring->page->data_tail, head, __ATOMIC_RELEASE);
}
