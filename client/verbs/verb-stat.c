/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl stat: KVM's counters of the machines that run, once or again and again. What they
 * mean is not known here. */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection.h"
#include "error.h"
#include "interval.h"
#include "machines.h"
#include "names.h"
#include "sample.h"
#include "table.h"
#include "verbs.h"

#define DOING "show KVM's counters"

typedef struct Stat {
        Client *client;
        Machines *machines;
        GStrv chosen; /* "PID-FD", which a guest keeps when libvirt goes away, else its UUID; empty: all */
        bool in_place;
        Sample *now, *before;
} Stat;

static void stat_clear(Stat *stat) {
        g_clear_pointer(&stat->machines, machines_free);
        g_clear_pointer(&stat->chosen, g_strfreev);
        g_clear_pointer(&stat->now, sample_free);
        g_clear_pointer(&stat->before, sample_free);
}

/* The last reading becomes the one before. */
static int fetch(Stat *stat, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        Value *statistics;
        int r = connection_prepare(stat->client, PATH_MANAGER, IFACE_MANAGER, "GetStatistics", &call, error);

        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(call, stat->chosen);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", UINT64_C(0));
        if (r < 0)
                return connection_fail(stat->client, r, error);
        r = connection_call(stat->client, call, CALL_READ, "a{sa{sv}}", &statistics, error);
        if (r < 0)
                return r;
        g_clear_pointer(&stat->before, sample_free);
        stat->before = g_steal_pointer(&stat->now);
        stat->now = sample_new(statistics);
        return 0;
}

/* Looking through all processes takes a while: only for a machine that is new. */
static int look(const Stat *stat, sd_bus_error *error) {
        g_autoptr(GPtrArray) names = sample_machines(stat->now, NULL);

        for (unsigned i = 0; i < names->len; i++)
                if (!stat->before || !sample_has(stat->before, g_ptr_array_index(names, i)))
                        return machines_look(stat->machines, error);
        return 0;
}

static char *name_of(const Stat *stat, const char *machine) {
        return machines_name(stat->machines, machine, sample_process(stat->now, machine));
}

/* What the kernel calls it is shorter than a UUID. */
static const char *label_of(const Stat *stat, const char *machine) {
        const char *process = sample_process(stat->now, machine);

        return *process ? process : machine;
}

static bool is_meant(const Stat *stat, const char *machine, const char *word) {
        return machines_is_meant(stat->machines, machine, sample_process(stat->now, machine), word);
}

/* Those that @words mean; false when a word means none. */
static bool choose(Stat *stat, char **words, sd_bus_error *error) {
        g_autoptr(GPtrArray) all = sample_machines(stat->now, NULL);
        g_autoptr(GPtrArray) chosen = g_ptr_array_new_with_free_func(g_free);

        for (; *words; words++) {
                const unsigned n = chosen->len;
                for (unsigned i = 0; i < all->len; i++)
                        if (is_meant(stat, g_ptr_array_index(all, i), *words))
                                g_ptr_array_add(chosen, g_strdup(label_of(stat, g_ptr_array_index(all, i))));
                /* Whether it is one of those, the daemon knows. */
                if (chosen->len == n && **words && sample_omitted(stat->now) > 0)
                        g_ptr_array_add(chosen, g_strdup(machines_ask_for(stat->machines, *words)));
                if (chosen->len == n) {
                        (void) sd_bus_error_setf(
                                        error, condition_to_name(CONDITION_NO_SUCH_GUEST),
                                        "No guest %s runs now; it can be a name, a UUID, a process id, or as in the "
                                        "list of all: nestvirtctl stat",
                                        *words);
                        return false;
                }
        }
        g_ptr_array_add(chosen, NULL);
        g_strfreev(stat->chosen);
        stat->chosen = (GStrv) g_ptr_array_free(g_steal_pointer(&chosen), FALSE);
        return true;
}

static void print_json(const Stat *stat) {
        g_autoptr(GPtrArray) names = sample_machines(stat->now, NULL);
        g_autoptr(Value) whole = value_new(VALUE_DICTIONARY), guests = value_new_named();

        value_add_number(whole, "Time", (guint64) stat->now->wall);
        for (unsigned i = 0; i < names->len; i++) {
                g_autofree char *name = name_of(stat, g_ptr_array_index(names, i));
                value_add_text(guests, g_ptr_array_index(names, i), name);
        }
        value_add(whole, "Guests", guests);
        value_add(whole, "Statistics", stat->now->statistics);
        if (stat->before)
                value_take(whole, "Rates", sample_rates(stat->now, stat->before));
        client_print_json(stat->client, whole);
}

static char *total_text(const Row *row) {
        return g_strdup_printf("%" G_GUINT64_FORMAT, row->total);
}

static char *rate_text(const Row *row) {
        return row->has_rate ? g_strdup_printf("%.1f", row->rate) : g_strdup("");
}

static void print_withheld(const Stat *stat, const char *machine) {
        const char *reason;
        const unsigned n = sample_withheld(stat->now, machine, &reason);

        if (n == 0)
                return;
        output_printf(stat->client->out, STYLE_WARN, "%u counters of %s are withheld. %s.", n, label_of(stat, machine),
                      reason);
        output_newline(stat->client->out);
}

/* For people: what never happened is left out, but for what matters most. */
static void print_machine(const Stat *stat, const char *machine) {
        static const char *const headings[] = {"COUNTER", "TOTAL", "PER SECOND", NULL};
        g_autoptr(GPtrArray) rows = sample_rows(stat->now, stat->before, machine);
        g_autofree char *name = name_of(stat, machine);
        g_autoptr(Table) table = table_new(headings);

        output_text(stat->client->out, STYLE_BOLD, *name ? name : label_of(stat, machine));
        if (*name)
                output_printf(stat->client->out, STYLE_PLAIN, " (%s)", label_of(stat, machine));
        output_newline(stat->client->out);
        for (unsigned i = 0; i < rows->len; i++) {
                const Row *row = g_ptr_array_index(rows, i);
                g_autofree char *total = total_text(row), *rate = rate_text(row);
                const char *const cells[] = {row->name, total, rate};
                if (row->total > 0 || row_is_first(row))
                        table_add(table, STYLE_PLAIN, cells, NULL);
        }
        table_print(table, stat->client->out);
        print_withheld(stat, machine);
}

static char *clock_text(const Sample *sample) {
        g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(sample->wall / G_USEC_PER_SEC);

        return g_date_time_format(time, "%H:%M:%S");
}

/* For other programs: each line has all that there is to say. */
static void print_lines(const Stat *stat, const GPtrArray *machines) {
        static const char *const headings[] = {"TIME", "GUEST", "MACHINE", "COUNTER", "TOTAL", "PER SECOND", NULL};
        g_autoptr(Table) table = table_new(headings);
        g_autofree char *time = clock_text(stat->now);

        for (unsigned i = 0; i < machines->len; i++) {
                const char *machine = g_ptr_array_index(machines, i), *label = label_of(stat, machine);
                g_autofree char *name = name_of(stat, machine);
                g_autoptr(GPtrArray) rows = sample_rows(stat->now, stat->before, machine);
                for (unsigned j = 0; j < rows->len; j++) {
                        const Row *row = g_ptr_array_index(rows, j);
                        g_autofree char *total = total_text(row), *rate = rate_text(row);
                        const char *const cells[] = {time, name, label, row->name, total, rate};
                        table_add(table, STYLE_PLAIN, cells, NULL);
                }
        }
        table_print(table, stat->client->out);
        for (unsigned i = 0; i < machines->len; i++)
                print_withheld(stat, g_ptr_array_index(machines, i));
}

static void print(const Stat *stat) {
        Output *out = stat->client->out;
        g_autoptr(GPtrArray) machines = sample_machines(stat->now, stat->before);
        const guint32 omitted = sample_omitted(stat->now);

        if (stat->client->json != JSON_OFF) {
                print_json(stat);
                return;
        }
        if (machines->len == 0 && omitted == 0) {
                output_text(out, STYLE_PLAIN, "No virtual machine runs now.");
                output_newline(out);
        } else if (!output_is_terminal())
                print_lines(stat, machines);
        else
                for (unsigned i = 0; i < machines->len; i++)
                        print_machine(stat, g_ptr_array_index(machines, i));
        if (omitted > 0) {
                output_printf(out, STYLE_PLAIN, "%s%u %s%s", machines->len > 0 ? "… and " : "", omitted,
                              machines->len > 0 ? "more"
                              : omitted == 1    ? "virtual machine"
                                                : "virtual machines",
                              getuid() != 0 ? " of other users" : "");
                output_newline(out);
        }
}

/* The last one is left to the end of the program, with its pager. False when standard output takes
 * no more. */
static bool show(const Stat *stat, const Interval *interval) {
        print(stat);
        if (stat->in_place)
                return output_refresh(stat->client->out);
        return interval->count == 1 || output_flush(stat->client->out, false);
}

static int take(Stat *stat, sd_bus_error *error) {
        int r = fetch(stat, error);

        return r < 0 ? r : look(stat, error);
}

/* What a word means is decided once. */
static bool begin(Stat *stat, char **words, sd_bus_error *error) {
        if (machines_new(stat->client, &stat->machines, error) < 0)
                return false;
        if (!*words)
                return true;
        if (take(stat, error) < 0 || !choose(stat, words, error))
                return false;
        g_clear_pointer(&stat->now, sample_free);
        return true;
}

static int run(Stat *stat, Interval *interval, char **words, sd_bus_error *error) {
        if (!begin(stat, words, error))
                return client_fail(stat->client, DOING, error);
        do {
                if (take(stat, error) < 0)
                        return client_fail(stat->client, DOING, error);
                if (!show(stat, interval))
                        return EXIT_FAILURE;
        } while (interval_wait(interval));
        return 0;
}

int verb_stat(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const bool watched = client->json == JSON_OFF && output_is_terminal();
        Interval interval;

        if (client->quiet)
                return client_usage(client, "stat does nothing but print: it can't be --quiet");
        /* Nobody has said how often: once for a program, until it is enough for people. */
        const bool repeats = client->interval || (watched && !client->count);
        int status = interval_parse(client, 1, repeats ? 0 : 1, &interval);
        if (status != 0)
                return status;
        Stat stat = {.client = client, .chosen = g_new0(char *, 1), .in_place = watched && interval.count != 1};
        status = run(&stat, &interval, words, &error);
        stat_clear(&stat);
        return status;
}
