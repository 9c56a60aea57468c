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

static void append_steps(GString *text, GVariant *guest) {
        g_autoptr(GVariant) steps = get_container(guest, "Steps", "as");
        g_autofree const char **lines = g_variant_get_strv(steps, NULL);

        for (const char **line = lines; *line; line++)
                append_line(text, *line);
}

static void append_impact(GString *text, GVariant *guest) {
        g_autoptr(GVariant) impact = get_container(guest, "Impact", "aa{sv}");

        for (gsize i = 0; i < g_variant_n_children(impact); i++) {
                g_autoptr(GVariant) one = g_variant_get_child_value(impact, i);
                append_line(text, get_string(one, "Message"));
        }
}

static char *describe(GVariant *guest) {
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

static void add_guest(Table *table, const char *name, GVariant *guest) {
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

static void print_summary(const Client *client, const Counts *counts, guint32 failed) {
        const bool dry_run = client->flags & FLAG_DRY_RUN;

        if (dry_run)
                output_printf(client->out, STYLE_BOLD,
                              "Nothing has been changed: %u would be, %u so already, %u can't.", counts->planned,
                              counts->unchanged, failed);
        else
                output_printf(client->out, STYLE_BOLD, "Guests defined so now: %u, so already: %u, failed: %u.",
                              counts->applied, counts->unchanged, failed);
        output_newline(client->out);
}

static void print_differences(const Client *client, GVariant *guests) {
        GVariantIter iter;
        const char *name;
        GVariant *guest;

        g_variant_iter_init(&iter, guests);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &guest))
                change_print_diff(client, get_string(guest, "Diff"), get_string(guest, "DiffMissing"));
}

static void print(const Client *client, GVariant *guests, guint32 failed) {
        static const char *const headings[] = {"GUEST", "OUTCOME", NULL};
        g_autoptr(Table) table = table_new(headings);
        Counts counts = {};
        GVariantIter iter;
        const char *name;
        GVariant *guest;

        g_variant_iter_init(&iter, guests);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &guest)) {
                count(&counts, get_string(guest, "Outcome"));
                add_guest(table, name, guest);
        }
        print_summary(client, &counts, failed);
        table_print(table, client->out);
        if (client->flags & FLAG_DRY_RUN)
                print_differences(client, guests);
}

bool guests_result_print(const Client *client, GVariant *result) {
        g_autoptr(GVariant) guests = get_container(result, "Guests", "a{sa{sv}}");
        guint32 failed = 0;

        (void) g_variant_lookup(result, "Failed", "u", &failed);
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                print(client, guests, failed);
        return failed == 0;
}
