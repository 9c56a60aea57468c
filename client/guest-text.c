/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table, the page about one guest, and the line that sums them up. */

#include "guest-list.h"
#include "guest-text.h"
#include "paging.h"
#include "table.h"

#define COLUMN 14U

static char *describe_cpu(const char *mode, const char *model) {
        if (!*mode)
                return g_strdup("default");
        return *model ? g_strdup_printf("%s %s", mode, model) : g_strdup(mode);
}

static void add_row(const GuestRow *row, gpointer userdata) {
        g_autofree char *cpu = describe_cpu(row->mode, row->model);
        const char *const cells[] = {
                        row->name, row->active ? "running" : "off", cpu, row->policy, row->next_start, row->now,
                        row->using};
        const Style style = g_str_equal(row->next_start, "fails")      ? STYLE_BAD
                            : *row->saved_state || row->restart_needed ? STYLE_WARN
                                                                       : STYLE_BOLD;

        table_add(userdata, style, cells, NULL);
}

int guest_text_table(Output *out, sd_bus_message *guests) {
        static const char *const headings[] = {"GUEST", "STATE", "CPU", "POLICY", "NEXT START", "NOW", "USING", NULL};
        g_autoptr(Table) table = table_new(headings);
        guint64 omitted;
        int r = guest_list_read(guests, add_row, table, &omitted);

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

static void print_state(Output *out, const Value *guest) {
        g_autofree char *state = g_strdup_printf("%s%s", get_boolean(guest, "Active") ? "running" : "off",
                                                 get_boolean(guest, "Persistent") ? "" : ", transient");

        output_field(out, COLUMN, "State", STYLE_PLAIN, state);
}

static Style verdict_style(const char *verdict) {
        return g_str_equal(verdict, "yes") ? STYLE_GOOD : g_str_equal(verdict, "fails") ? STYLE_BAD : STYLE_PLAIN;
}

void guest_text_one(Output *out, const Value *guest) {
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

typedef struct Summary {
        guint64 known;
        unsigned running, can, use, fail, restart;
} Summary;

static void sum_up(const GuestRow *row, gpointer userdata) {
        Summary *summary = userdata;

        summary->known++;
        summary->running += row->active;
        summary->can += g_str_equal(row->now, "yes") || (!row->active && g_str_equal(row->next_start, "yes"));
        summary->use += g_str_equal(row->using, "yes");
        summary->fail += g_str_equal(row->next_start, "fails");
        summary->restart += row->restart_needed;
}

int guest_text_summary(sd_bus_message *guests, char **ret) {
        g_autoptr(GString) text = g_string_new(NULL);
        Summary summary = {};
        guint64 omitted;
        int r = guest_list_read(guests, sum_up, &summary, &omitted);

        if (r < 0)
                return r;
        if (summary.known + omitted > 0)
                g_string_append_printf(text, "%" G_GUINT64_FORMAT, summary.known + omitted);
        append_count(text, summary.running, "running");
        append_count(text, summary.can, "can nest");
        append_count(text, summary.use, "in use as hypervisors");
        append_count(text, summary.restart, "to be restarted");
        append_count(text, summary.fail, "would not start");
        *ret = g_string_free(g_steal_pointer(&text), FALSE);
        return 0;
}
