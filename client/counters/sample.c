/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rates and orders. A counter that has become less was cleared meanwhile, and has no rate. */

#include <string.h>

#include "counter.h"
#include "inventory.h"
#include "sample.h"

Sample *sample_new(Value *statistics) {
        Sample *sample = g_new(Sample, 1);

        *sample = (Sample) {
                        .time = g_get_monotonic_time(),
                        .wall = g_get_real_time(),
                        .statistics = statistics,
                        .machines = g_hash_table_new(g_str_hash, g_str_equal),
        };
        for (guint32 i = 0; i < value_length(statistics); i++)
                (void) g_hash_table_insert(sample->machines, (gpointer) value_name(statistics, i),
                                           (gpointer) value_at(statistics, i));
        return sample;
}

void sample_free(Sample *sample) {
        if (!sample)
                return;
        g_hash_table_unref(sample->machines);
        value_free(sample->statistics);
        g_free(sample);
}

static const Value *counters_of(const Sample *sample, const char *machine) {
        return sample ? g_hash_table_lookup(sample->machines, machine) : NULL;
}

bool sample_has(const Sample *sample, const char *machine) {
        return counters_of(sample, machine) != NULL;
}

bool row_is_first(const Row *row) {
        return counter_place(row->name) < COUNTER_LATER;
}

static void rate(Row *row, const Sample *now, const Sample *before, const Value *earlier) {
        guint64 then;

        if (!earlier || counter_is_level(row->name) || now->time <= before->time ||
            !get_number(earlier, row->name, &then) || then > row->total)
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
        const Value *counters = counters_of(now, machine), *earlier = counters_of(before, machine);

        for (guint32 i = 0; counters && i < value_length(counters); i++) {
                const Value *value = value_at(counters, i);
                if (value->type != 't')
                        continue;
                Row *row = g_new(Row, 1);
                *row = (Row) {.name = value_name(counters, i), .total = value->number};
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
        guint32 omitted;

        for (guint32 i = 0; i < value_length(now->statistics); i++) {
                const Value *counters = value_at(now->statistics, i);
                Machine machine = {.name = value_name(now->statistics, i), .exits = {.name = "exits"}};
                if (get_omitted(counters, &omitted))
                        continue;
                (void) get_number(counters, "exits", &machine.exits.total);
                rate(&machine.exits, now, before, counters_of(before, machine.name));
                g_array_append_val(machines, machine);
        }
        g_array_sort(machines, compare_machines);
        for (unsigned i = 0; i < machines->len; i++)
                g_ptr_array_add(names, (gpointer) g_array_index(machines, Machine, i).name);
        return names;
}

const char *sample_process(const Sample *now, const char *machine) {
        const Value *process = value_find(counters_of(now, machine), "Machine");

        if (process && process->type == 's')
                return process->text;
        return g_uuid_string_is_valid(machine) ? "" : machine;
}

guint32 sample_omitted(const Sample *now) {
        guint32 omitted = 0, more;

        for (guint32 i = 0; i < value_length(now->statistics); i++)
                if (get_omitted(value_at(now->statistics, i), &more))
                        omitted += more;
        return omitted;
}

unsigned sample_withheld(const Sample *now, const char *machine, const char **ret_reason) {
        const Value *counters = counters_of(now, machine);

        *ret_reason = get_string(counters, "Reason");
        return value_length(get_list(counters, "Withheld"));
}

static Value *machine_rates(const Sample *now, const Sample *before, const char *machine) {
        g_autoptr(GPtrArray) rows = sample_rows(now, before, machine);
        Value *rates = value_new_named();

        for (unsigned i = 0; i < rows->len; i++) {
                const Row *row = g_ptr_array_index(rows, i);
                if (row->has_rate)
                        value_add_real(rates, row->name, row->rate);
        }
        return rates;
}

Value *sample_rates(const Sample *now, const Sample *before) {
        g_autoptr(GPtrArray) machines = sample_machines(now, before);
        Value *rates = value_new_named();

        for (unsigned i = 0; i < machines->len; i++) {
                const char *machine = g_ptr_array_index(machines, i);
                value_take(rates, machine, machine_rates(now, before, machine));
        }
        return rates;
}
