/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rates and orders. A counter that has become less was cleared meanwhile, and has no rate. */

#include <string.h>

#include "counter.h"
#include "inventory.h"
#include "sample.h"

static void unref_counters(gpointer counters) {
        g_variant_unref(counters);
}

Sample *sample_new(GVariant *statistics) {
        Sample *sample = g_new(Sample, 1);
        GVariantIter iter;
        const char *name;
        GVariant *counters;

        *sample = (Sample) {
                        .time = g_get_monotonic_time(),
                        .wall = g_get_real_time(),
                        .statistics = statistics,
                        .machines = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, unref_counters),
        };
        g_variant_iter_init(&iter, statistics);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &counters))
                (void) g_hash_table_insert(sample->machines, (gpointer) name, g_variant_ref(counters));
        return sample;
}

void sample_free(Sample *sample) {
        if (!sample)
                return;
        g_hash_table_unref(sample->machines);
        g_variant_unref(sample->statistics);
        g_free(sample);
}

static GVariant *counters_of(const Sample *sample, const char *machine) {
        GVariant *counters = sample ? g_hash_table_lookup(sample->machines, machine) : NULL;

        return counters ? g_variant_ref(counters) : NULL;
}

bool sample_has(const Sample *sample, const char *machine) {
        g_autoptr(GVariant) counters = counters_of(sample, machine);

        return counters != NULL;
}

bool row_is_first(const Row *row) {
        return counter_place(row->name) < COUNTER_LATER;
}

static void rate(Row *row, const Sample *now, const Sample *before, GVariant *earlier) {
        guint64 then;

        if (!earlier || counter_is_level(row->name) || now->time <= before->time ||
            !g_variant_lookup(earlier, row->name, "t", &then) || then > row->total)
                return;
        row->rate = (double) (row->total - then) * 1e6 / (double) (now->time - before->time);
        row->has_rate = true;
}

static int descending(double a, double b) {
        return a > b ? -1 : a < b;
}

static int compare_rows(gconstpointer a, gconstpointer b) {
        const Row *x = *(const Row *const *) a, *y = *(const Row *const *) b;
        const unsigned p = counter_place(x->name), q = counter_place(y->name);

        if (p != q)
                return p < q ? -1 : 1;
        const int by_use = descending(x->rate, y->rate) ?: descending((double) x->total, (double) y->total);
        return by_use ?: strcmp(x->name, y->name);
}

GPtrArray *sample_rows(const Sample *now, const Sample *before, const char *machine) {
        GPtrArray *rows = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GVariant) counters = counters_of(now, machine), earlier = counters_of(before, machine);
        GVariantIter iter;
        const char *name;
        GVariant *value;

        g_variant_iter_init(&iter, counters);
        while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
                if (!g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
                        continue;
                Row *row = g_new(Row, 1);
                *row = (Row) {.name = name, .total = g_variant_get_uint64(value)};
                rate(row, now, before, earlier);
                g_ptr_array_add(rows, row);
        }
        g_ptr_array_sort(rows, compare_rows);
        return rows;
}

typedef struct Machine {
        const char *name;
        Row exits;
} Machine;

static int compare_machines(gconstpointer a, gconstpointer b) {
        const Machine *x = a, *y = b;

        return descending(x->exits.rate, y->exits.rate) ?: descending((double) x->exits.total, (double) y->exits.total)
                               ?: strcmp(x->name, y->name);
}

GPtrArray *sample_machines(const Sample *now, const Sample *before) {
        g_autoptr(GArray) machines = g_array_new(FALSE, TRUE, sizeof(Machine));
        GPtrArray *names = g_ptr_array_new();
        GVariantIter iter;
        const char *name;
        GVariant *counters;
        guint32 omitted;

        g_variant_iter_init(&iter, now->statistics);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &counters)) {
                Machine machine = {.name = name, .exits = {.name = "exits"}};
                if (get_omitted(counters, &omitted))
                        continue;
                g_autoptr(GVariant) earlier = counters_of(before, name);
                (void) g_variant_lookup(counters, "exits", "t", &machine.exits.total);
                rate(&machine.exits, now, before, earlier);
                g_array_append_val(machines, machine);
        }
        g_array_sort(machines, compare_machines);
        for (unsigned i = 0; i < machines->len; i++)
                g_ptr_array_add(names, (gpointer) g_array_index(machines, Machine, i).name);
        return names;
}

const char *sample_process(const Sample *now, const char *machine) {
        g_autoptr(GVariant) counters = counters_of(now, machine);
        const char *process = g_uuid_string_is_valid(machine) ? "" : machine;

        (void) g_variant_lookup(counters, "Machine", "&s", &process);
        return process;
}

guint32 sample_omitted(const Sample *now) {
        guint32 omitted = 0, more;
        GVariantIter iter;
        const char *name;
        GVariant *counters;

        g_variant_iter_init(&iter, now->statistics);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &counters))
                if (get_omitted(counters, &more))
                        omitted += more;
        return omitted;
}

unsigned sample_withheld(const Sample *now, const char *machine, const char **ret_reason) {
        g_autoptr(GVariant) counters = counters_of(now, machine);
        g_autoptr(GVariant) withheld = g_variant_lookup_value(counters, "Withheld", G_VARIANT_TYPE_STRING_ARRAY);

        *ret_reason = "";
        (void) g_variant_lookup(counters, "Reason", "&s", ret_reason);
        return withheld ? (unsigned) g_variant_n_children(withheld) : 0;
}

GVariant *sample_rates(const Sample *now, const Sample *before) {
        g_autoptr(GPtrArray) machines = sample_machines(now, before);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sa{sd}}"));
        for (unsigned i = 0; i < machines->len; i++) {
                g_autoptr(GPtrArray) rows = sample_rows(now, before, g_ptr_array_index(machines, i));
                g_variant_builder_open(&builder, G_VARIANT_TYPE("{sa{sd}}"));
                g_variant_builder_add(&builder, "s", g_ptr_array_index(machines, i));
                g_variant_builder_open(&builder, G_VARIANT_TYPE("a{sd}"));
                for (unsigned j = 0; j < rows->len; j++) {
                        const Row *row = g_ptr_array_index(rows, j);
                        if (row->has_rate)
                                g_variant_builder_add(&builder, "{sd}", row->name, row->rate);
                }
                g_variant_builder_close(&builder);
                g_variant_builder_close(&builder);
        }
        return g_variant_builder_end(&builder);
}
