/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl probe: what it found. It must not know how the probe works, nor what its numbers
 * should be. */

#include <stdlib.h>
#include <string.h>

#include "inventory.h"
#include "probing.h"
#include "table.h"
#include "verbs.h"

#define EXIT_UNSUPPORTED 6

typedef struct Line {
        const char *name, *label;
} Line;

/* What is counted for each combination of page tables, from top to bottom. */
static const Line lines[] = {
                {"round_trip", "cpuid, to L1 and back"},
                {"port", "port access, to user space and back"},
                {"fresh_page", "first access to a page"},
                {"fresh_page_cold", "the same, the very first time"},
                {"cr3_reload", "CR3 read and written"},
                {"fault", "page fault of L2, and unmapping"},
                {"workload", "16 processes with 64 such faults each"},
};

/* And from left to right. A host has at most three. */
static const char *const groups[] = {"one-level",     "shadow-on-shadow", "shadow-on-npt",
                                     "shadow-on-ept", "npt-on-npt",       "ept-on-ept"};
#define GROUPS_MAX 3

static int exit_status_of(const Value *result) {
        const char *word = get_string(result, "Result");

        return g_str_equal(word, "on")            ? 0
               : g_str_equal(word, "off")         ? EXIT_NO
               : g_str_equal(word, "unsupported") ? EXIT_UNSUPPORTED
                                                  : EXIT_FAILURE;
}

static char *count_text(const Value *counts, const char *group, const char *name) {
        g_autofree char *key = g_strdup_printf("%s.%s", group, name);
        guint64 value;

        return get_number(counts, key, &value) ? g_strdup_printf("%" G_GUINT64_FORMAT, value) : g_strdup("");
}

static char *time_text(const Value *times, const char *group, const char *name) {
        g_autofree char *key = g_strdup_printf("%s.%s", group, name);
        const Value *time = value_find(times, key);
        guint64 median = 0, min = 0, max = 0;

        if (!get_number(time, "median", &median) || !get_number(time, "min", &min) || !get_number(time, "max", &max))
                return g_strdup("");
        return g_strdup_printf("%" G_GUINT64_FORMAT " (%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT ")", median, min, max);
}

/* Nothing when nothing was measured. */
static void print_table(const Client *client, const char *title, const Value *values,
                        char *(*text_of)(const Value *values, const char *group, const char *name)) {
        const char *headings[GROUPS_MAX + 2] = {title}, *found[GROUPS_MAX];
        unsigned n = 0;

        for (gsize i = 0; i < G_N_ELEMENTS(groups) && n < GROUPS_MAX; i++) {
                g_autofree char *text = text_of(values, groups[i], lines[0].name);
                if (*text)
                        headings[n + 1] = found[n] = groups[i], n++;
        }
        if (n == 0)
                return;
        g_autoptr(Table) table = table_new(headings);
        for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
                g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
                const char *cells[GROUPS_MAX + 1] = {lines[i].label};
                for (unsigned j = 0; j < n; j++) {
                        g_ptr_array_add(texts, text_of(values, found[j], lines[i].name));
                        cells[j + 1] = g_ptr_array_index(texts, j);
                }
                table_add(table, STYLE_PLAIN, cells, NULL);
        }
        output_newline(client->out);
        table_print(table, client->out);
}

static void print_result(const Client *client, const Value *result) {
        const Value *counts = value_find(result, "Counts"), *times = value_find(result, "Times");

        output_text(client->out, STYLE_PLAIN, get_string(result, "Message"));
        output_newline(client->out);
        if (counts)
                print_table(client, "EXITS TO THE HOST", counts, count_text);
        if (times)
                print_table(client, "NANOSECONDS", times, time_text);
        if (get_boolean(result, "Emulated")) {
                output_newline(client->out);
                output_text(client->out, STYLE_PLAIN, "Guest code is emulated here: times would mean nothing.");
                output_newline(client->out);
        }
}

/* Without what the program and the daemon have among themselves. */
static Value *published(const Value *result) {
        Value *shown = value_new(VALUE_DICTIONARY);

        for (guint32 i = 0; i < value_length(result); i++)
                if (!g_str_equal(value_name(result, i), "Loads"))
                        value_add(shown, value_name(result, i), value_at(result, i));
        return shown;
}

int verb_probe(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) found = probing_run(client, &error);

        if (!found)
                return client_fail(client, "probe nested virtualization", &error);
        g_autoptr(Value) result = published(found);
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                print_result(client, result);
        return exit_status_of(result);
}
