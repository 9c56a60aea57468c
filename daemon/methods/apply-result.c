/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two answers made one, its keys in their order. It decides nothing. */

#include "apply-result.h"
#include "guest-targets.h"
#include "sort.h"

static void add_text(GVariantBuilder *builder, const char *name, const char *text) {
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_take_string(g_utf8_make_valid(text, -1)));
}

static const char *outcome_of(GVariant *half) {
        const char *outcome = "unchanged";

        if (half)
                (void) g_variant_lookup(half, "Outcome", "&s", &outcome);
        return outcome;
}

static bool guest_differs(GVariant *guest) {
        const char *outcome = outcome_of(guest);

        return g_str_equal(outcome, "planned") || g_str_equal(outcome, "applied");
}

static GVariant *rows_of(GVariant *guests) {
        return guests ? g_variant_lookup_value(guests, "Guests", G_VARIANT_TYPE("a{sa{sv}}")) : NULL;
}

/* GuestTarget*, of those that differ. */
static GPtrArray *differing(GVariant *guests) {
        g_autoptr(GVariant) rows = rows_of(guests);
        GPtrArray *targets = guest_targets_new();
        GVariantIter i;
        const char *name;
        GVariant *guest;

        if (!rows)
                return targets;
        g_variant_iter_init(&i, rows);
        while (g_variant_iter_loop(&i, "{&s@a{sv}}", &name, &guest))
                if (guest_differs(guest))
                        guest_targets_add(targets, name, NULL, NULL);
        return targets;
}

bool apply_result_guests_differ(GVariant *guests) {
        g_autoptr(GPtrArray) targets = differing(guests);

        return targets->len > 0;
}

char *apply_result_guests_say(GVariant *guests) {
        g_autoptr(GPtrArray) targets = differing(guests);

        return guest_targets_say(targets);
}

/* What the host's change came to counts first: of a guest's there is only one word. */
static const char *outcome(const ApplyResult *result) {
        const char *host = outcome_of(result->host);

        if (!g_str_equal(host, "unchanged") || !apply_result_guests_differ(result->guests))
                return host;
        return result->dry_run ? "planned" : "applied";
}

static void add_host_drift(GVariantBuilder *array, const Drift *drift) {
        g_variant_builder_open(array, G_VARIANT_TYPE_VARDICT);
        add_text(array, "Configured", drift->configured);
        add_text(array, "Desired", drift->desired);
        add_text(array, "Effective", drift->effective);
        add_text(array, "Module", drift->module);
        add_text(array, "Name", drift->name);
        g_variant_builder_add(array, "{sv}", "Pending", g_variant_new_boolean(drift->pending));
        g_variant_builder_close(array);
}

static void add_guest_drift(GVariantBuilder *array, const char *name, GVariant *guest) {
        g_autoptr(GVariant) steps = g_variant_lookup_value(guest, "Steps", G_VARIANT_TYPE_STRING_ARRAY);

        g_variant_builder_open(array, G_VARIANT_TYPE_VARDICT);
        add_text(array, "Guest", name);
        g_variant_builder_add(array, "{sv}", "Pending", g_variant_new_boolean(FALSE));
        if (steps)
                g_variant_builder_add(array, "{sv}", "Steps", steps);
        g_variant_builder_close(array);
}

/* Of guests only what a dry run has found: what was applied has been read back. */
static GVariant *describe_drift(const ApplyResult *result) {
        g_autoptr(GVariant) rows = result->dry_run ? rows_of(result->guests) : NULL;
        GVariantBuilder array;
        GVariantIter i;
        const char *name;
        GVariant *guest;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned n = 0; n < result->drift->len; n++)
                add_host_drift(&array, g_ptr_array_index(result->drift, n));
        if (rows) {
                g_variant_iter_init(&i, rows);
                while (g_variant_iter_loop(&i, "{&s@a{sv}}", &name, &guest))
                        if (guest_differs(guest))
                                add_guest_drift(&array, name, guest);
        }
        return g_variant_builder_end(&array);
}

/* What is said of the files, then what is said of the host's change. */
static GVariant *describe_notes(const ApplyResult *result) {
        g_autoptr(GVariant) others =
                        result->host ? g_variant_lookup_value(result->host, "Notes", G_VARIANT_TYPE_STRING_ARRAY)
                                     : NULL;
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE_STRING_ARRAY);
        for (unsigned i = 0; i < result->notes->len; i++)
                g_variant_builder_add_value(&array, g_variant_new_take_string(g_utf8_make_valid(
                                                                    g_ptr_array_index(result->notes, i), -1)));
        for (gsize i = 0; others && i < g_variant_n_children(others); i++) {
                g_autoptr(GVariant) note = g_variant_get_child_value(others, i);
                g_variant_builder_add_value(&array, note);
        }
        return g_variant_builder_end(&array);
}

static void add_changes(GVariantBuilder *array, GVariant *half) {
        g_autoptr(GVariant) changes = half ? g_variant_lookup_value(half, "Changes", G_VARIANT_TYPE("aa{sv}")) : NULL;

        for (gsize i = 0; changes && i < g_variant_n_children(changes); i++) {
                g_autoptr(GVariant) change = g_variant_get_child_value(changes, i);
                g_variant_builder_add_value(array, change);
        }
}

static GVariant *describe_changes(const ApplyResult *result) {
        g_autoptr(GVariant) rows = rows_of(result->guests);
        GVariantBuilder array;
        GVariantIter i;
        GVariant *guest;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        add_changes(&array, result->host);
        if (rows) {
                g_variant_iter_init(&i, rows);
                while (g_variant_iter_loop(&i, "{&s@a{sv}}", NULL, &guest))
                        add_changes(&array, guest);
        }
        return g_variant_builder_end(&array);
}

static bool is_changed(const ApplyResult *result) {
        gboolean changed = FALSE;

        if (result->host)
                (void) g_variant_lookup(result->host, "Changed", "b", &changed);
        return changed || apply_result_guests_differ(result->guests);
}

/* Floating values are sunk. */
static void put(GHashTable *entries, const char *name, GVariant *value) {
        (void) g_hash_table_insert(entries, g_strdup(name), g_variant_ref_sink(value));
}

static void put_half(GHashTable *entries, GVariant *half) {
        GVariantIter i;
        const char *name;
        GVariant *value;

        if (!half)
                return;
        g_variant_iter_init(&i, half);
        while (g_variant_iter_loop(&i, "{&sv}", &name, &value))
                put(entries, name, value);
}

GVariant *apply_result_describe(const ApplyResult *result) {
        g_autoptr(GHashTable) entries =
                        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
        GVariantBuilder builder;

        put_half(entries, result->guests);
        put_half(entries, result->host);
        put(entries, "Changed", g_variant_new_boolean(is_changed(result)));
        put(entries, "Changes", describe_changes(result));
        put(entries, "Drift", describe_drift(result));
        put(entries, "Notes", describe_notes(result));
        put(entries, "Outcome", g_variant_new_string(outcome(result)));
        put(entries, "When", g_variant_new_string(result->when));
        g_autoptr(GPtrArray) names = sorted_keys(entries);
        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        for (unsigned i = 0; i < names->len; i++)
                g_variant_builder_add(&builder, "{sv}", g_ptr_array_index(names, i),
                                      g_hash_table_lookup(entries, g_ptr_array_index(names, i)));
        return g_variant_new("(a{sv})", &builder);
}
