/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Exits by reason, what they are taken to mean, and the ring that they come through. */

#include <string.h>

#include "exits.h"
#include "ring.h"

/* Reasons of the two tables (arch/x86/include/uapi/asm/vmx.h and svm.h). */
#define VMX_EXCEPTION 0U
#define VMX_CPUID 10U
#define VMX_VMREAD 23U
#define VMX_VMWRITE 25U
#define VMX_EPT_VIOLATION 48U
#define SVM_WRITE_CR3 0x13U
#define SVM_PAGE_FAULT 0x4eU
#define SVM_CPUID 0x72U
#define SVM_INVLPG 0x79U
#define SVM_NPF 0x400U

static void add(Exits *exits, guint32 reason, unsigned all, unsigned nested) {
        for (unsigned i = 0; i < all; i++)
                exits_add(exits, reason, false);
        for (unsigned i = 0; i < nested; i++)
                exits_add(exits, reason, true);
}

static void test_counts(void) {
        g_autoptr(Exits) exits = exits_new(ISA_SVM);

        add(exits, SVM_CPUID, 3, 2);
        add(exits, SVM_NPF, 5, 0);
        add(exits, 0xffffffffU, 3, 0);
        g_autoptr(GPtrArray) sorted = exits_sorted(exits);
        g_assert_cmpuint(sorted->len, ==, 3);
        const Exit *first = g_ptr_array_index(sorted, 0), *second = g_ptr_array_index(sorted, 1);
        g_assert_cmphex(first->reason, ==, SVM_NPF);
        g_assert_cmphex(second->reason, ==, SVM_CPUID);
        g_assert_cmpuint(second->all, ==, 3);
        g_assert_cmpuint(second->nested, ==, 2);
        g_assert_cmpuint(exits->all, ==, 11);
        g_assert_cmpuint(exits->nested, ==, 2);

        exits_forget(exits);
        g_autoptr(GPtrArray) none = exits_sorted(exits);
        g_assert_cmpuint(none->len + exits->all + exits->nested, ==, 0);
}

static void test_names(void) {
        static const struct {
                Isa isa;
                guint32 reason;
                const char *name;
        } rows[] = {
                        {ISA_SVM, SVM_CPUID, "cpuid"},
                        {ISA_SVM, SVM_NPF, "npf"},
                        {ISA_SVM, SVM_PAGE_FAULT, "PF excp"},
                        {ISA_SVM, 0x80, "vmrun"},
                        {ISA_SVM, 0xffffffffU, "invalid_guest_state"},
                        {ISA_SVM, 0x777, "0x777"},
                        {ISA_VMX, VMX_VMREAD, "VMREAD"},
                        {ISA_VMX, VMX_EPT_VIOLATION, "EPT_VIOLATION"},
                        {ISA_VMX, 0, "EXCEPTION_NMI"},
                        {ISA_VMX, 0x80000021U, "INVALID_STATE+0x80000000"},
                        {ISA_VMX, 0x777, "0x777"},
                        {ISA_NONE, VMX_VMREAD, "0x17"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *name = exit_name(rows[i].isa, rows[i].reason);
                g_assert_cmpstr(name, ==, rows[i].name);
        }
}

/* All that is read of @exits, in one text. */
static char *read_all(const Exits *exits) {
        g_autoptr(GPtrArray) readings = exits_readings(exits);

        g_ptr_array_add(readings, NULL);
        return g_strjoinv(". ", (char **) readings->pdata);
}

static void assert_reads(const Exits *exits, const char *begin, const char *part) {
        g_autofree char *text = read_all(exits);

        g_test_message("%s", text);
        g_assert_true(g_str_has_prefix(text, begin));
        g_assert_nonnull(strstr(text, part));
}

static void assert_silent(const Exits *exits) {
        g_autofree char *text = read_all(exits);

        g_assert_cmpstr(text, ==, "");
}

static void test_nothing(void) {
        g_autoptr(Exits) exits = exits_new(ISA_SVM);

        assert_reads(exits, "No exits", "");
        add(exits, SVM_CPUID, 200, 0);
        assert_reads(exits, "No exit came from a guest of a guest", "");
        add(exits, SVM_CPUID, 0, 200);
        assert_silent(exits);
}

/* The loop of a round trip, as it is counted on Intel: with VMCS shadowing two exits, without it
 * nine. */
static void test_shadowing_of_the_vmcs(void) {
        g_autoptr(Exits) with = exits_new(ISA_VMX), without = exits_new(ISA_VMX), few = exits_new(ISA_VMX),
                         amd = exits_new(ISA_SVM);

        add(with, VMX_CPUID, 100, 100);
        add(with, 24, 100, 0);
        assert_silent(with);
        add(without, VMX_CPUID, 100, 100);
        add(without, 24, 100, 0);
        add(without, VMX_VMREAD, 600, 0);
        add(without, VMX_VMWRITE, 100, 0);
        assert_reads(without, "700 of 900 exits are for VMREAD and VMWRITE", "VMCS shadowing is not in use");
        add(few, VMX_VMREAD, 90, 1);
        assert_silent(few);
        add(amd, VMX_VMREAD, 900, 1);
        assert_silent(amd);
}

static void test_paging(void) {
        g_autoptr(Exits) shadow = exits_new(ISA_SVM), nested = exits_new(ISA_SVM), intel = exits_new(ISA_VMX),
                         host = exits_new(ISA_VMX), both = exits_new(ISA_SVM);

        add(shadow, SVM_PAGE_FAULT, 100, 100);
        add(shadow, SVM_INVLPG, 50, 50);
        add(shadow, SVM_WRITE_CR3, 20, 20);
        add(shadow, 0x80, 170, 0);
        assert_reads(shadow, "170 of 170 exits of guests' guests are page faults",
                     "With NPT of its own these exits go away");
        add(nested, SVM_NPF, 150, 150);
        assert_reads(nested, "150 of 150 exits of guests' guests are NPT violations", "first time");
        add(intel, VMX_EPT_VIOLATION, 100, 60);
        add(intel, VMX_EXCEPTION, 60, 60);
        assert_reads(intel, "60 of 120 exits of guests' guests are page faults",
                     "60 of 120 exits of guests' guests are EPT violations");
        add(host, VMX_EXCEPTION, 500, 1);
        assert_reads(host, "499 of 499 exits of guests themselves are page faults", "nestvirtctl show ept");
        add(both, SVM_PAGE_FAULT, 500, 200);
        assert_reads(both, "200 of 200 exits of guests' guests", "300 of 300 exits of guests themselves");
}

#define DATA 4096U

typedef struct Shared {
        struct perf_event_mmap_page page;
        guint8 data[DATA];
} Shared;

static Shared *shared_new(void) {
        Shared *shared = g_new0(Shared, 1);

        shared->page.data_offset = offsetof(Shared, data);
        shared->page.data_size = DATA;
        return shared;
}

/* As the kernel does: a record of @size bytes whose body is @fill. */
static void put(Shared *shared, guint16 size, guint8 fill) {
        g_autofree guint8 *record = g_malloc(size);
        const struct perf_event_header header = {.type = PERF_RECORD_SAMPLE, .size = size};

        memset(record, fill, size);
        memcpy(record, &header, sizeof header);
        for (unsigned i = 0; i < size; i++)
                shared->data[(shared->page.data_head + i) % DATA] = record[i];
        shared->page.data_head += size;
}

typedef struct Seen {
        unsigned n;
        guint8 next;
} Seen;

static void on_record(const struct perf_event_header *record, void *userdata) {
        const guint8 *body = (const guint8 *) (record + 1);
        Seen *seen = userdata;

        for (gsize i = 0; i < record->size - sizeof *record; i++)
                g_assert_cmpuint(body[i], ==, seen->next);
        seen->next++;
        seen->n++;
}

static void test_ring(void) {
        g_autofree Shared *shared = shared_new();
        Ring *ring = ring_new(&shared->page);
        Seen seen = {};
        guint8 fill = 0;

        ring_drain(ring, on_record, &seen);
        g_assert_cmpuint(seen.n, ==, 0);
        /* Many times around, with ends at all places. */
        for (unsigned round = 0; round < 200; round++) {
                for (unsigned i = 0; i < 7; i++)
                        put(shared, (guint16) (8U * (2U + (round + i) % 60U)), fill++);
                ring_drain(ring, on_record, &seen);
                g_assert_cmpuint(shared->page.data_tail, ==, shared->page.data_head);
        }
        g_assert_cmpuint(seen.n, ==, 1400);
        ring_free(ring);
}

/* What can't be a record ends the walk; the room is given back all the same. */
static void test_broken_ring(void) {
        static const guint16 sizes[] = {0, 7, 4000};

        for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
                g_autofree Shared *shared = shared_new();
                Ring *ring = ring_new(&shared->page);
                Seen seen = {};

                put(shared, 64, 0);
                put(shared, 64, 1);
                memcpy(shared->data + 64 + offsetof(struct perf_event_header, size), &sizes[i], sizeof sizes[i]);
                ring_drain(ring, on_record, &seen);
                g_assert_cmpuint(seen.n, ==, 1);
                g_assert_cmpuint(shared->page.data_tail, ==, shared->page.data_head);
                ring_free(ring);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/exits/counts", test_counts);
        g_test_add_func("/exits/names", test_names);
        g_test_add_func("/exits/readings/nothing", test_nothing);
        g_test_add_func("/exits/readings/shadowing-of-the-vmcs", test_shadowing_of_the_vmcs);
        g_test_add_func("/exits/readings/paging", test_paging);
        g_test_add_func("/exits/ring", test_ring);
        g_test_add_func("/exits/broken-ring", test_broken_ring);
        return g_test_run();
}
