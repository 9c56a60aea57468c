/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the kernel says of its two tracepoints, and a ring of their records: the parts of the input.
 * What is counted adds up, and is no more than there are records; the ring is emptied; and what
 * is said of exits can be shown. */

#include <string.h>

#include "exits.h"
#include "fuzz.h"
#include "ring.h"
#include "tracepoint.h"

#define RING_SIZE 4096U

typedef struct Page {
        struct perf_event_mmap_page head;
        guint8 data[RING_SIZE];
} Page;

typedef struct Counting {
        Exits *exits;
        guint64 hits, nested;
} Counting;

static void on_hit(guint32 pid, guint32 reason, bool nested, void *userdata) {
        Counting *counting = userdata;

        counting->hits++;
        counting->nested += nested;
        exits_add(counting->exits, reason, nested);
}

static void check_words(const Exits *exits) {
        g_autoptr(GPtrArray) sorted = exits_sorted(exits), sentences = exits_readings(exits);

        for (unsigned i = 0; i < sorted->len; i++) {
                const Exit *exit = g_ptr_array_index(sorted, i);
                g_autofree char *name = exit_name(exits->isa, exit->reason);
                fuzz_assert_line(name);
                g_assert_true(i == 0 || exit->all <= ((const Exit *) g_ptr_array_index(sorted, i - 1))->all);
        }
        for (unsigned i = 0; i < sentences->len; i++)
                fuzz_assert_line(g_ptr_array_index(sentences, i));
}

static void check_sums(const Counting *counting) {
        g_autoptr(GPtrArray) sorted = exits_sorted(counting->exits);
        guint64 all = 0, nested = 0;

        for (unsigned i = 0; i < sorted->len; i++) {
                const Exit *exit = g_ptr_array_index(sorted, i);
                all += exit->all;
                nested += exit->nested;
        }
        g_assert_cmpuint(nested, ==, counting->nested);
        g_assert_cmpuint(all + nested, ==, counting->hits);
}

/* Where the ring begins is the input's first byte, so that records lie across its end. */
static void fill(Page *page, const uint8_t *data, size_t size) {
        const size_t at = size > 0 ? data[0] * 16U : 0;

        page->head.data_offset = sizeof(page->head);
        page->head.data_size = RING_SIZE;
        page->head.data_tail = at;
        page->head.data_head = at + MIN(size, RING_SIZE);
        for (size_t i = 0; i < MIN(size, RING_SIZE); i++)
                page->data[(at + i) % RING_SIZE] = data[i];
}

static void check_ring(const Tracepoint *exits, const Tracepoint *nested, const uint8_t *data, size_t size) {
        const Isa isas[] = {ISA_NONE, ISA_VMX, ISA_SVM};
        g_autofree Page *page = g_new0(Page, 1);
        g_autoptr(Exits) counted = exits_new(isas[size % G_N_ELEMENTS(isas)]);
        Counting counting = {.exits = counted};
        Tracepoints points = {.exits = *exits, .nested = *nested, .hit = on_hit, .userdata = &counting};

        fill(page, data, size);
        Ring *ring = ring_new(&page->head);
        ring_drain(ring, tracepoints_take, &points);
        ring_free(ring);
        g_assert_cmpuint(page->head.data_tail, ==, page->head.data_head);
        g_assert_cmpuint(counting.hits, <=, size / sizeof(struct perf_event_header));
        check_sums(&counting);
        check_words(counted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *id = fuzz_take(&data, &size, NULL), *format = fuzz_take(&data, &size, NULL);
        const Tracepoint known = {.id = 7, .offset = 8}, nested = {.id = 8, .offset = 20};
        Tracepoint read = {};

        if (tracepoint_parse(id, format, &read)) {
                g_assert_cmpuint(read.offset, <, G_MAXUINT16);
                g_assert_cmpuint(read.id, >, 0);
                g_assert_nonnull(strstr(format, " exit_reason;"));
        } else
                read = known;
        check_ring(&read, &nested, data, size);
        return 0;
}
