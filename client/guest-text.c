/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table, the page about one guest, and the line that sums them up. */

#include "guest-text.h"
#include "inventory.h"
#include "table.h"

#define COLUMN 14U

static bool says(GVariant *guest, const char *property, const char *word) {
        return g_str_equal(get_string(guest, property), word);
}

static Style style_of(GVariant *guest) {
        if (says(guest, "NextStart", "fails"))
                return STYLE_BAD;
        return *get_string(guest, "SavedState") || get_boolean(guest, "RestartNeeded") ? STYLE_WARN : STYLE_BOLD;
}

static char *describe_cpu(GVariant *guest) {
        const char *mode = get_string(guest, "CpuMode"), *model = get_string(guest, "CpuModel");

        if (!*mode)
                return g_strdup("default");
        return *model ? g_strdup_printf("%s %s", mode, model) : g_strdup(mode);
}

void guest_text_table(Output *out, const GPtrArray *guests) {
        static const char *const headings[] = {"GUEST", "STATE", "CPU", "POLICY", "NEXT START", "NOW", "USING", NULL};
        g_autoptr(Table) table = table_new(headings);

        for (unsigned i = 0; i < guests->len; i++) {
                GVariant *guest = ((const Item *) g_ptr_array_index(guests, i))->properties;
                g_autofree char *cpu = describe_cpu(guest);
                const char *const cells[] = {
                                get_string(guest, "Name"),
                                get_boolean(guest, "Active") ? "running" : "off",
                                cpu,
                                get_string(guest, "Policy"),
                                get_string(guest, "NextStart"),
                                get_string(guest, "Now"),
                                get_string(guest, "Using"),
                };
                table_add(table, style_of(guest), cells, NULL);
        }
        table_print(table, out);
}

static void print_state(Output *out, GVariant *guest) {
        g_autofree char *state = g_strdup_printf("%s%s", get_boolean(guest, "Active") ? "running" : "off",
                                                 get_boolean(guest, "Persistent") ? "" : ", transient");

        output_field(out, COLUMN, "State", STYLE_PLAIN, state);
}

static Style verdict_style(const char *verdict) {
        return g_str_equal(verdict, "yes") ? STYLE_GOOD : g_str_equal(verdict, "fails") ? STYLE_BAD : STYLE_PLAIN;
}

void guest_text_one(Output *out, GVariant *guest) {
        g_autofree char *cpu = describe_cpu(guest);

        output_text(out, STYLE_BOLD, get_string(guest, "Name"));
        output_newline(out);
        output_field(out, COLUMN, "UUID", STYLE_PLAIN, get_string(guest, "Uuid"));
        output_field(out, COLUMN, "Type", STYLE_PLAIN, get_string(guest, "Type"));
        print_state(out, guest);
        output_field(out, COLUMN, "CPU", STYLE_PLAIN, cpu);
        output_field(out, COLUMN, "Policy", STYLE_PLAIN, get_string(guest, "Policy"));
        output_field(out, COLUMN, "Next start", verdict_style(get_string(guest, "NextStart")),
                     get_string(guest, "NextStart"));
        output_field(out, COLUMN, "Now", verdict_style(get_string(guest, "Now")), get_string(guest, "Now"));
        output_field(out, COLUMN, "Using", STYLE_PLAIN, get_string(guest, "Using"));
        output_field(out, COLUMN, "Why", STYLE_PLAIN, get_string(guest, "Reason"));
        output_field(out, COLUMN, "Memory", STYLE_PLAIN, get_string(guest, "Mmu"));
        if (get_boolean(guest, "RestartNeeded"))
                output_field(out, COLUMN, "Restart", STYLE_WARN,
                             "needed: it runs with another CPU than it is defined with (off and on again; a reboot "
                             "inside does not do it)");
        output_field(out, COLUMN, "Saved state", STYLE_WARN, get_string(guest, "SavedState"));
}

static void append_count(GString *text, unsigned n, const char *what) {
        if (n > 0)
                g_string_append_printf(text, ", %u %s", n, what);
}

char *guest_text_summary(const GPtrArray *guests) {
        g_autoptr(GString) text = g_string_new(NULL);
        unsigned running = 0, can = 0, use = 0, fail = 0, restart = 0;

        if (guests->len == 0)
                return NULL;
        for (unsigned i = 0; i < guests->len; i++) {
                GVariant *guest = ((const Item *) g_ptr_array_index(guests, i))->properties;
                running += get_boolean(guest, "Active");
                can += says(guest, "Now", "yes") || (!get_boolean(guest, "Active") && says(guest, "NextStart", "yes"));
                use += says(guest, "Using", "yes");
                fail += says(guest, "NextStart", "fails");
                restart += get_boolean(guest, "RestartNeeded");
        }
        g_string_append_printf(text, "%u", guests->len);
        append_count(text, running, "running");
        append_count(text, can, "can nest");
        append_count(text, use, "in use as hypervisors");
        append_count(text, restart, "to be restarted");
        append_count(text, fail, "would not start");
        return g_string_free(g_steal_pointer(&text), FALSE);
}
