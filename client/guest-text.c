/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table, the page about one guest, and the line that sums them up. */

#include "guest-text.h"
#include "inventory.h"
#include "paging.h"
#include "table.h"

#define COLUMN 14U

static bool says(GVariant *guest, const char *property, const char *word) {
        return g_str_equal(get_string(guest, property), word);
}

static char *describe_cpu(const char *mode, const char *model) {
        if (!*mode)
                return g_strdup("default");
        return *model ? g_strdup_printf("%s %s", mode, model) : g_strdup(mode);
}

/* 0 at the end of the array. @omitted: how many the last row stands for, which has no guest. */
static int add_row(Table *table, sd_bus_message *guests, guint64 *omitted) {
        const char *path, *name, *mode, *model, *policy, *next_start, *now, *using, *saved_state;
        int active, restart_needed;
        int r = sd_bus_message_read(guests, "(osbssssssbs)", &path, &name, &active, &mode, &model, &policy, &next_start,
                                    &now, &using, &restart_needed, &saved_state);

        if (r <= 0)
                return r;
        if (g_str_equal(path, "/")) {
                *omitted = g_ascii_strtoull(name, NULL, 10);
                return 1;
        }
        g_autofree char *cpu = describe_cpu(mode, model);
        const char *const cells[] = {name, active ? "running" : "off", cpu, policy, next_start, now, using};
        const Style style = g_str_equal(next_start, "fails")      ? STYLE_BAD
                            : *saved_state || restart_needed != 0 ? STYLE_WARN
                                                                  : STYLE_BOLD;
        table_add(table, style, cells, NULL);
        return 1;
}

int guest_text_table(Output *out, sd_bus_message *guests) {
        static const char *const headings[] = {"GUEST", "STATE", "CPU", "POLICY", "NEXT START", "NOW", "USING", NULL};
        g_autoptr(Table) table = table_new(headings);
        guint64 omitted = 0;
        int r = sd_bus_message_enter_container(guests, SD_BUS_TYPE_ARRAY, "(osbssssssbs)");

        while (r > 0)
                r = add_row(table, guests, &omitted);
        if (r < 0)
                return r;
        table_print(table, out);
        if (omitted > 0) {
                output_printf(out, STYLE_WARN, "… and %" G_GUINT64_FORMAT " more, which are too many to be shown",
                              omitted);
                output_newline(out);
        } else if (table_is_empty(table)) {
                output_text(out, STYLE_PLAIN, "libvirt knows of no guests.");
                output_newline(out);
        }
        return 0;
}

int guest_text_count(sd_bus_message *guests, guint64 *ret) {
        const char *path, *name;
        int r = sd_bus_message_enter_container(guests, SD_BUS_TYPE_ARRAY, "(osbssssssbs)");

        while (r >= 0 && (r = sd_bus_message_enter_container(guests, SD_BUS_TYPE_STRUCT, "osbssssssbs")) > 0) {
                r = sd_bus_message_read(guests, "os", &path, &name);
                if (r >= 0)
                        r = sd_bus_message_skip(guests, "bssssssbs");
                if (r >= 0)
                        r = sd_bus_message_exit_container(guests);
                if (r >= 0)
                        *ret += g_str_equal(path, "/") ? g_ascii_strtoull(name, NULL, 10) : 1;
        }
        return r;
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
        g_autofree char *cpu = describe_cpu(get_string(guest, "CpuMode"), get_string(guest, "CpuModel"));
        g_autofree char *paging = paging_of_guest(get_string(guest, "Mmu"));

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
        output_field(out, COLUMN, "Paging", STYLE_PLAIN, paging);
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
