/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl exits: why guests of this machine exit to the host. It reads the kernel itself; only
 * what a guest is called it asks the daemon. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "exits.h"
#include "interval.h"
#include "machines.h"
#include "table.h"
#include "tracing.h"
#include "verbs.h"

#define DOING "count exits"

typedef struct Watching {
        Client *client;
        GHashTable *pids; /* of the guest that is meant; NULL: all */
        Exits *exits;
        Tracing *tracing;
        gint64 begun; /* µs, monotonic */
        double seconds;
        guint64 lost;
        bool in_place;
} Watching;

static void watching_clear(Watching *watching) {
        tracing_close(watching->tracing);
        g_clear_pointer(&watching->exits, exits_free);
        g_clear_pointer(&watching->pids, g_hash_table_unref);
}

static void on_hit(guint32 pid, guint32 reason, bool nested, void *userdata) {
        const Watching *watching = userdata;

        if (!watching->pids || g_hash_table_contains(watching->pids, GUINT_TO_POINTER(pid)))
                exits_add(watching->exits, reason, nested);
}

static Isa find_isa(void) {
        return access("/sys/module/kvm_amd", F_OK) == 0     ? ISA_SVM
               : access("/sys/module/kvm_intel", F_OK) == 0 ? ISA_VMX
                                                            : ISA_NONE;
}

/* A process id, or "PID-FD" as stat names a machine. A guest may be called so as well, or only
 * begin like one: "7-db". */
static bool parse_pid(const char *word, guint32 *ret) {
        const size_t digits = strspn(word, G_CSET_DIGITS);
        const char *fd = word[digits] == '-' ? word + digits + 1 : NULL;
        g_autofree char *number = g_strndup(word, digits);
        guint64 pid;

        if ((fd ? !*fd || fd[strspn(fd, G_CSET_DIGITS)] : word[digits]) ||
            !g_ascii_string_to_unsigned(number, 10, 1, G_MAXUINT32, &pid, NULL))
                return false;
        *ret = (guint32) pid;
        return true;
}

/* Names go before numbers; and a number is understood without the daemon, too. */
static bool find_pids(Watching *watching, const char *word, sd_bus_error *error) {
        g_autoptr(Machines) machines = NULL;
        guint32 pid;

        watching->pids = g_hash_table_new(NULL, NULL);
        const bool told = machines_new(watching->client, &machines, error) >= 0 && machines_look(machines, error) >= 0;
        if (told)
                machines_add_pids(machines, word, watching->pids);
        if (g_hash_table_size(watching->pids) > 0)
                return true;
        if (parse_pid(word, &pid)) {
                sd_bus_error_free(error);
                (void) g_hash_table_add(watching->pids, GUINT_TO_POINTER(pid));
                return true;
        }
        if (told)
                (void) sd_bus_error_setf(error, condition_to_name(CONDITION_NO_SUCH_GUEST),
                                         "No guest %s runs now; it can be a name or a process id: nestvirtctl users",
                                         word);
        return false;
}

static Value *counts(const GPtrArray *sorted, Isa isa, bool nested) {
        Value *by_name = value_new_named();

        for (unsigned i = 0; i < sorted->len; i++) {
                const Exit *exit = g_ptr_array_index(sorted, i);
                g_autofree char *name = exit_name(isa, exit->reason);
                if (!nested || exit->nested > 0)
                        value_add_number(by_name, name, nested ? exit->nested : exit->all);
        }
        return by_name;
}

static void print_json(const Watching *watching, const GPtrArray *sorted, const GPtrArray *readings) {
        const Exits *exits = watching->exits;
        g_autoptr(Value) whole = value_new(VALUE_DICTIONARY);

        value_add_number(whole, "Time", (guint64) g_get_real_time());
        value_add_real(whole, "Seconds", watching->seconds);
        value_add_number(whole, "Total", exits->all);
        value_add_number(whole, "Nested", exits->nested);
        value_add_number(whole, "Lost", watching->lost);
        value_take(whole, "Exits", counts(sorted, exits->isa, false));
        value_take(whole, "NestedExits", counts(sorted, exits->isa, true));
        value_take_texts(whole, "Readings", readings);
        client_print_json(watching->client, whole);
}

static void add_row(const Watching *watching, Table *table, const char *name, guint64 all, guint64 nested) {
        const guint64 total = watching->exits->all;
        g_autofree char *count = g_strdup_printf("%" G_GUINT64_FORMAT, all);
        g_autofree char *rate = g_strdup_printf("%.1f", (double) all / watching->seconds);
        g_autofree char *share =
                        total > 0 ? g_strdup_printf("%.1f%%", (double) all * 100 / (double) total) : g_strdup("");
        g_autofree char *of_l2 = nested > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, nested) : g_strdup("");
        const char *const cells[] = {name, count, rate, share, of_l2};

        table_add(table, STYLE_PLAIN, cells, NULL);
}

static void print_text(const Watching *watching, const GPtrArray *sorted, const GPtrArray *readings) {
        static const char *const headings[] = {"EXIT", "COUNT", "PER SECOND", "SHARE", "OF L2", NULL};
        Output *out = watching->client->out;
        g_autoptr(Table) table = table_new(headings);

        for (unsigned i = 0; i < sorted->len; i++) {
                const Exit *exit = g_ptr_array_index(sorted, i);
                g_autofree char *name = exit_name(watching->exits->isa, exit->reason);
                add_row(watching, table, name, exit->all, exit->nested);
        }
        if (sorted->len > 0)
                add_row(watching, table, "total", watching->exits->all, watching->exits->nested);
        table_print(table, out);
        for (unsigned i = 0; i < readings->len; i++) {
                output_printf(out, STYLE_BOLD, "%s.", (const char *) g_ptr_array_index(readings, i));
                output_newline(out);
        }
        if (watching->lost == 0)
                return;
        output_printf(out, STYLE_WARN, "%" G_GUINT64_FORMAT " more came too fast to be looked at.", watching->lost);
        output_newline(out);
}

/* False when standard output takes no more. */
static bool show(Watching *watching) {
        g_autoptr(GPtrArray) sorted = exits_sorted(watching->exits), readings = exits_readings(watching->exits);
        const gint64 now = g_get_monotonic_time();

        watching->seconds = (double) MAX(now - watching->begun, 1) / 1e6;
        watching->lost = tracing_take_lost(watching->tracing);
        if (watching->client->json != JSON_OFF)
                print_json(watching, sorted, readings);
        else
                print_text(watching, sorted, readings);
        watching->begun = now;
        exits_forget(watching->exits);
        return watching->in_place ? output_refresh(watching->client->out) : output_flush(watching->client->out, false);
}

static void announce(const Watching *watching, const Interval *interval) {
        if (watching->client->json == JSON_OFF && !watching->in_place)
                (void) fprintf(stderr, "Counting exits for %g s; Ctrl-C ends it.\n", interval->seconds);
}

static int run(Watching *watching, Interval *interval, const char *guest, sd_bus_error *error) {
        bool more = true;

        if (guest && !find_pids(watching, guest, error))
                return client_fail(watching->client, DOING, error);
        watching->exits = exits_new(find_isa());
        watching->tracing = tracing_open(on_hit, watching, error);
        if (!watching->tracing)
                return client_fail(watching->client, DOING, error);
        announce(watching, interval);
        watching->begun = interval->next = g_get_monotonic_time();
        while (more) {
                more = tracing_gather(watching->tracing, interval_next(interval)) && interval->count != 1;
                interval->count -= interval->count > 0;
                if (!show(watching))
                        return EXIT_FAILURE;
        }
        return 0;
}

int verb_exits(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const bool watched = client->json == JSON_OFF && output_is_terminal();
        Interval interval;

        if (client->quiet)
                return client_usage(client, "exits does nothing but print: it can't be --quiet");
        if (client->host)
                return client_usage(client,
                                    "exits takes no --host: it looks at the kernel of the machine that it runs on");
        int status = interval_parse(client, 1, watched ? 0 : 1, &interval);
        if (status != 0)
                return status;
        Watching watching = {.client = client, .in_place = watched && interval.count != 1};
        status = run(&watching, &interval, *words, &error);
        watching_clear(&watching);
        return status;
}
