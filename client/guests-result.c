/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A line that sums it up, a line for each guest with what there is to say of it below, and of what
 * is only planned the differences. */

#include "change-result.h"
#include "guests-result.h"
#include "inventory.h"
#include "names.h"
#include "table.h"

typedef struct Counts {
        unsigned applied, planned, unchanged;
} Counts;

static void count(Counts *counts, const char *outcome) {
        counts->applied += g_str_equal(outcome, "applied");
        counts->planned += g_str_equal(outcome, "planned");
        counts->unchanged += g_str_equal(outcome, "unchanged");
}

static void append_line(GString *text, const char *line) {
        if (*line)
                g_string_append_printf(text, "%s%s", text->len > 0 ? "; " : "", line);
}

static void append_steps(GString *text, const Value *guest) {
        const Value *steps = get_list(guest, "Steps");

        for (guint32 i = 0; i < value_length(steps); i++)
                append_line(text, value_text(steps, i));
}

static void append_impact(GString *text, const Value *guest) {
        const Value *impact = get_list(guest, "Impact");

        for (guint32 i = 0; i < value_length(impact); i++)
                append_line(text, get_string(value_at(impact, i), "Message"));
}

static char *describe(const Value *guest) {
        g_autoptr(GString) text = g_string_new(get_string(guest, "Error"));

        append_steps(text, guest);
        append_impact(text, guest);
        if (get_boolean(guest, "RestartNeeded"))
                append_line(text, "it runs with another CPU until it is switched off and on again");
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static Style style_of(const char *outcome) {
        return g_str_equal(outcome, "failed") ? STYLE_BAD : g_str_equal(outcome, "unchanged") ? STYLE_DIM : STYLE_BOLD;
}

static void add_guest(Table *table, const char *name, const Value *guest) {
        const char *outcome = get_string(guest, "Outcome");
        g_autofree char *note = describe(guest);
        guint32 omitted;

        if (get_omitted(guest, &omitted)) {
                g_autofree char *rest = describe_omitted(omitted);
                table_add(table, STYLE_WARN, (const char *[]) {rest, NULL}, NULL);
                return;
        }
        table_add(table, style_of(outcome), (const char *[]) {name, outcome}, note);
}

static void print_summary(const Client *client, const Counts *counts, guint64 failed) {
        const bool dry_run = client->flags & FLAG_DRY_RUN;

        if (dry_run)
                output_printf(client->out, STYLE_BOLD,
                              "Nothing has been changed: %u would be, %u so already, %" G_GUINT64_FORMAT " can't.",
                              counts->planned, counts->unchanged, failed);
        else
                output_printf(client->out, STYLE_BOLD,
                              "Guests defined so now: %u, so already: %u, failed: %" G_GUINT64_FORMAT ".",
                              counts->applied, counts->unchanged, failed);
        output_newline(client->out);
}

static void print_differences(const Client *client, const Value *guests) {
        for (guint32 i = 0; i < value_length(guests); i++) {
                const Value *guest = value_at(guests, i);
                change_print_diff(client, get_string(guest, "Diff"), get_string(guest, "DiffMissing"));
        }
}

static void print(const Client *client, const Value *guests, guint64 failed) {
        static const char *const headings[] = {"GUEST", "OUTCOME", NULL};
        g_autoptr(Table) table = table_new(headings);
        Counts counts = {};

        for (guint32 i = 0; i < value_length(guests); i++) {
                count(&counts, get_string(value_at(guests, i), "Outcome"));
                add_guest(table, value_name(guests, i), value_at(guests, i));
        }
        print_summary(client, &counts, failed);
        table_print(table, client->out);
        if (client->flags & FLAG_DRY_RUN)
                print_differences(client, guests);
}

bool guests_result_print(const Client *client, const Value *result) {
        guint64 failed = 0;

        (void) get_number(result, "Failed", &failed);
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                print(client, get_dictionary(result, "Guests"), failed);
        return failed == 0;
}
