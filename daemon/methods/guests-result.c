/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two lists of entries. Those that failed stand first, so that they are not the ones for which
 * there is no room. */

#include "bound.h"
#include "describe-reply.h"
#include "error.h"
#include "guests-result.h"

struct GuestsResult {
        GPtrArray *failed, *others; /* GVariant*, {sa{sv}} */
        BoundRows rows;             /* of both */
        guint32 failures;
        bool applied, changed;
};

static GPtrArray *entries_new(void) {
        return g_ptr_array_new_with_free_func((GDestroyNotify) g_variant_unref);
}

GuestsResult *guests_result_new(void) {
        GuestsResult *result = g_new0(GuestsResult, 1);

        result->failed = entries_new();
        result->others = entries_new();
        return result;
}

void guests_result_free(GuestsResult *result) {
        g_ptr_array_unref(result->failed);
        g_ptr_array_unref(result->others);
        g_free(result);
}

/* @dictionary: consumed when floating. */
static void add_entry(GuestsResult *result, GPtrArray *entries, const char *name, GVariant *dictionary) {
        g_autofree char *valid = g_utf8_make_valid(name, -1);
        g_autoptr(GVariant) entry = bound_reply(g_variant_new("{s@a{sv}}", valid, dictionary));

        if (bound_rows_take(&result->rows, bound_size(entry), BOUND_ROWS))
                g_ptr_array_add(entries, g_steal_pointer(&entry));
}

void guests_result_add(GuestsResult *result, const char *outcome, const GuestPlan *plan, const GuestHost *host) {
        g_autoptr(GVariant) tuple = g_variant_ref_sink(describe_guest_change(outcome, plan, host));
        g_autoptr(GVariant) dictionary = g_variant_get_child_value(tuple, 0);

        result->changed |= !guest_plan_is_unchanged(plan);
        result->applied |= g_str_equal(outcome, "applied");
        add_entry(result, result->others, plan->facts->name, dictionary);
}

void guests_result_add_failure(GuestsResult *result, const char *name, const GError *error) {
        GVariantBuilder builder;

        result->failures++;
        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Error",
                              g_variant_new_take_string(g_utf8_make_valid(error->message, -1)));
        g_variant_builder_add(&builder, "{sv}", "ErrorName",
                              g_variant_new_string(condition_to_name(condition_of(error))));
        g_variant_builder_add(&builder, "{sv}", "Outcome", g_variant_new_string("failed"));
        add_entry(result, result->failed, name, g_variant_builder_end(&builder));
}

static void add_entries(GVariantBuilder *builder, const GPtrArray *entries) {
        for (unsigned i = 0; i < entries->len; i++)
                g_variant_builder_add_value(builder, g_ptr_array_index(entries, i));
}

static GVariant *describe_entries(const GuestsResult *result) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sa{sv}}"));
        add_entries(&builder, result->failed);
        add_entries(&builder, result->others);
        if (result->rows.omitted > 0)
                g_variant_builder_add(&builder, "{s@a{sv}}", BOUND_OTHERS, bound_omitted(result->rows.omitted));
        return g_variant_builder_end(&builder);
}

GVariant *guests_result_describe(const GuestsResult *result, bool dry_run) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Changed", g_variant_new_boolean(result->changed));
        g_variant_builder_add(&builder, "{sv}", "Failed", g_variant_new_uint32(result->failures));
        g_variant_builder_add(&builder, "{sv}", "Guests", describe_entries(result));
        g_variant_builder_add(&builder, "{sv}", "Outcome",
                              g_variant_new_string(dry_run           ? "planned"
                                                   : result->applied ? "applied"
                                                                     : "unchanged"));
        return g_variant_new("(a{sv})", &builder);
}
