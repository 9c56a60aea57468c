/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The results of methods as dictionaries, written in the order of their keys. It decides
 * nothing. */

#include <string.h>

#include "bound.h"
#include "check.h"
#include "describe-reply.h"

/* Names of processes and files may hold anything, D-Bus takes UTF-8 alone. */
static void add_text(GVariantBuilder *builder, const char *name, const char *text) {
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_take_string(g_utf8_make_valid(text, -1)));
}

static void add_texts(GVariantBuilder *builder, const char *name, const GPtrArray *steps) {
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE_STRING_ARRAY);
        for (unsigned i = 0; i < steps->len; i++)
                g_variant_builder_add_value(
                                &array, g_variant_new_take_string(g_utf8_make_valid(g_ptr_array_index(steps, i), -1)));
        g_variant_builder_add(builder, "{sv}", name, g_variant_builder_end(&array));
}

/* The last entry of an array of dictionaries, where some are left out, or @perhaps are. */
static void add_omitted(GVariantBuilder *array, unsigned omitted, bool perhaps) {
        if (omitted > 0 || perhaps)
                g_variant_builder_add_value(array, bound_omitted(omitted));
}

static void add_impact(GVariantBuilder *builder, const GPtrArray *impact, unsigned omitted, bool perhaps) {
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < impact->len; i++) {
                const Impact *one = g_ptr_array_index(impact, i);
                g_variant_builder_open(&array, G_VARIANT_TYPE_VARDICT);
                add_text(&array, "Kind", one->kind);
                add_text(&array, "Message", one->message);
                add_text(&array, "Subject", one->subject);
                g_variant_builder_close(&array);
        }
        add_omitted(&array, omitted, perhaps);
        g_variant_builder_add(builder, "{sv}", "Impact", g_variant_builder_end(&array));
}

static void add_values(GVariantBuilder *builder, GHashTable *values) {
        GVariantBuilder dictionary;
        g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(values), (GCompareFunc) strcmp);

        g_variant_builder_init(&dictionary, G_VARIANT_TYPE("a{ss}"));
        for (const GList *i = names; i; i = i->next)
                g_variant_builder_add(&dictionary, "{ss}", i->data, g_hash_table_lookup(values, i->data));
        g_variant_builder_add(builder, "{sv}", "Values", g_variant_builder_end(&dictionary));
}

static void add_state(GVariantBuilder *builder, const char *name, const ParameterState *state) {
        GVariantBuilder dictionary;

        g_variant_builder_init(&dictionary, G_VARIANT_TYPE_VARDICT);
        add_text(&dictionary, "Configured", state->configured);
        add_text(&dictionary, "Effective", state->effective);
        add_text(&dictionary, "Pending", state->pending);
        add_text(&dictionary, "Source", state->source);
        g_variant_builder_add(builder, "{sv}", name, g_variant_builder_end(&dictionary));
}

static void add_changes(GVariantBuilder *builder, const GPtrArray *changes) {
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < changes->len; i++) {
                const Alteration *one = g_ptr_array_index(changes, i);
                g_variant_builder_open(&array, G_VARIANT_TYPE_VARDICT);
                add_state(&array, "After", one->after);
                add_state(&array, "Before", one->before);
                add_text(&array, "Module", one->after->module);
                add_text(&array, "Name", one->after->name);
                g_variant_builder_close(&array);
        }
        g_variant_builder_add(builder, "{sv}", "Changes", g_variant_builder_end(&array));
}

static void add_boolean(GVariantBuilder *builder, const char *name, bool value) {
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_boolean(value));
}

GVariant *describe_change(const ChangeResult *result) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add_boolean(&builder, "Changed", result->changed);
        add_changes(&builder, result->changes);
        add_impact(&builder, result->impact, result->omitted, result->perhaps_more);
        add_texts(&builder, "Notes", result->notes);
        add_text(&builder, "Outcome", result->outcome);
        add_texts(&builder, "Steps", result->steps);
        add_values(&builder, result->values);
        return g_variant_new("(a{sv})", &builder);
}

GVariant *describe_outcome(const char *outcome, const GPtrArray *steps) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add_text(&builder, "Outcome", outcome);
        add_texts(&builder, "Steps", steps);
        return g_variant_new("(a{sv})", &builder);
}

static void add_configured(GVariantBuilder *builder, const char *name, const char *configured) {
        GVariantBuilder dictionary;

        g_variant_builder_init(&dictionary, G_VARIANT_TYPE_VARDICT);
        add_text(&dictionary, "Configured", configured);
        g_variant_builder_add(builder, "{sv}", name, g_variant_builder_end(&dictionary));
}

static void add_guest_changes(GVariantBuilder *builder, const GuestPlan *plan, const GuestHost *host) {
        g_autoptr(GPtrArray) changes = guest_plan_changes(plan, host);
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < changes->len; i++) {
                const GuestAlteration *one = g_ptr_array_index(changes, i);
                g_variant_builder_open(&array, G_VARIANT_TYPE_VARDICT);
                add_configured(&array, "After", one->after);
                add_configured(&array, "Before", one->before);
                add_text(&array, "Guest", plan->facts->name);
                add_text(&array, "Name", one->name);
                g_variant_builder_close(&array);
        }
        g_variant_builder_add(builder, "{sv}", "Changes", g_variant_builder_end(&array));
}

GVariant *describe_guest_change(const char *outcome, const GuestPlan *plan, const GuestHost *host) {
        g_autoptr(GPtrArray) impact = guest_plan_impact(plan, host);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add_texts(&builder, "Advice", plan->advice);
        add_boolean(&builder, "Changed", !guest_plan_is_unchanged(plan));
        add_guest_changes(&builder, plan, host);
        add_text(&builder, "Diff", plan->diff);
        if (plan->diff_missing)
                add_text(&builder, "DiffMissing", plan->diff_missing);
        add_impact(&builder, impact, 0, false);
        add_text(&builder, "Outcome", outcome);
        add_boolean(&builder, "RestartNeeded", guest_plan_needs_restart(plan, host));
        add_texts(&builder, "Steps", plan->steps);
        return g_variant_new("(a{sv})", &builder);
}

GVariant *describe_findings(const GPtrArray *findings) {
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < findings->len; i++) {
                const Finding *finding = g_ptr_array_index(findings, i);
                g_variant_builder_open(&array, G_VARIANT_TYPE_VARDICT);
                add_text(&array, "Fix", finding->fix);
                add_text(&array, "Id", finding->id);
                add_text(&array, "Message", finding->message);
                add_text(&array, "Status", finding->status);
                add_text(&array, "Subject", finding->subject);
                g_variant_builder_close(&array);
        }
        return g_variant_new("(aa{sv})", &array);
}

GVariant *describe_users(const Users *users) {
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < users->holders->len; i++) {
                const User *user = g_ptr_array_index(users->holders, i);
                g_variant_builder_open(&array, G_VARIANT_TYPE_VARDICT);
                add_text(&array, "Command", user->command);
                add_text(&array, "Guest", user->guest);
                add_text(&array, "NestedClaim", user->nested);
                g_variant_builder_add(&array, "{sv}", "Pid", g_variant_new_uint32(user->pid));
                g_variant_builder_add(&array, "{sv}", "Uid", g_variant_new_uint32(user->uid));
                add_text(&array, "Unit", user->unit);
                g_variant_builder_close(&array);
        }
        add_omitted(&array, users->omitted + users->others, users->perhaps_more);
        return g_variant_new("(aa{sv})", &array);
}

static void add_withheld(GVariantBuilder *builder, const VmStatistics *vm) {
        add_text(builder, "Reason", vm->reason);
        g_variant_builder_add(builder, "{sv}", "Withheld",
                              g_variant_new_strv((const char *const *) vm->withheld->pdata, vm->withheld->len));
}

GVariant *describe_machine(const VmStatistics *vm) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        if (vm->machine && !g_str_equal(vm->machine, vm->name))
                add_text(&builder, "Machine", vm->machine);
        if (vm->withheld->len > 0)
                add_withheld(&builder, vm);
        for (unsigned j = 0; j < vm->counters->len; j++) {
                const Counter *counter = g_ptr_array_index(vm->counters, j);
                g_variant_builder_add(&builder, "{sv}", counter->name, g_variant_new_uint64(counter->value));
        }
        return describe_named(vm->name, g_variant_builder_end(&builder));
}

GVariant *describe_named(const char *name, GVariant *dictionary) {
        GVariant *entry = g_variant_new("{s@a{sv}}", name, dictionary);

        return g_variant_new_array(G_VARIANT_TYPE("{sa{sv}}"), &entry, 1);
}
