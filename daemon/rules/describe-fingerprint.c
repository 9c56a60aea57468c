/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dictionaries, in the order of their keys. It decides nothing. */

#include "ability-names.h"
#include "describe-fingerprint.h"
#include "sort.h"

static void add_text(GVariantBuilder *builder, const char *name, const char *text) {
        g_variant_builder_add(builder, "{sv}", name, g_variant_new_take_string(g_utf8_make_valid(text, -1)));
}

static GVariant *describe_ability(const Ability *ability) {
        GVariantBuilder dictionary;

        g_variant_builder_init(&dictionary, G_VARIANT_TYPE("a{ss}"));
        for (unsigned key = 0; key < ABILITY_KEYS; key++) {
                g_autofree char *text = ability_text(ability, key);
                if (text)
                        g_variant_builder_add(&dictionary, "{ss}", ability_name(key), text);
        }
        return g_variant_builder_end(&dictionary);
}

static GVariant *describe_parameters(GHashTable *parameters) {
        g_autoptr(GPtrArray) names = sorted_keys(parameters);
        GVariantBuilder dictionary;

        g_variant_builder_init(&dictionary, G_VARIANT_TYPE("a{ss}"));
        for (unsigned i = 0; i < names->len; i++) {
                const char *name = g_ptr_array_index(names, i);
                g_variant_builder_add(&dictionary, "{ss}", name, g_hash_table_lookup(parameters, name));
        }
        return g_variant_builder_end(&dictionary);
}

GVariant *describe_fingerprint(const Fingerprint *fingerprint) {
        g_auto(GStrv) features = ability_features(fingerprint->ability);
        g_autofree char *sha256 = ability_sha256(fingerprint->ability);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Ability", describe_ability(fingerprint->ability));
        add_text(&builder, "CpuModel", fingerprint->model);
        g_variant_builder_add(&builder, "{sv}", "Features", g_variant_new_strv((const char *const *) features, -1));
        g_variant_builder_add(&builder, "{sv}", "Parameters", describe_parameters(fingerprint->parameters));
        add_text(&builder, "Release", fingerprint->release);
        add_text(&builder, "Sha256", sha256);
        return g_variant_new("(a{sv})", &builder);
}

GVariant *describe_differences(const Fingerprint *from, const Fingerprint *to, const GPtrArray *found, const char *here,
                               const char *there) {
        GVariantBuilder array;

        g_variant_builder_init(&array, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < found->len; i++) {
                const AbilityDifference *difference = g_ptr_array_index(found, i);
                bool on_there = false;
                g_autofree char *remedy = fingerprint_remedy(from, to, difference, &on_there);
                g_variant_builder_open(&array, G_VARIANT_TYPE_VARDICT);
                add_text(&array, "Feature", difference->feature);
                if (remedy)
                        add_text(&array, "Host", on_there ? there : here);
                add_text(&array, "Kind", difference->kind);
                if (remedy)
                        add_text(&array, "Parameter", remedy);
                g_variant_builder_close(&array);
        }
        return g_variant_builder_end(&array);
}

/* @here, @there: what the host of the guest and the other one are called. */
static GVariant *describe_direction(const Fingerprint *from, const Fingerprint *to, const char *here,
                                    const char *there) {
        g_autoptr(GPtrArray) found = NULL;
        const AbilityVerdict verdict = ability_compare(from->ability, to->ability, &found);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Differences", describe_differences(from, to, found, here, there));
        add_text(&builder, "Verdict", ability_verdict_to_string(verdict));
        return g_variant_builder_end(&builder);
}

GVariant *describe_comparison(const Fingerprint *first, const Fingerprint *second) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "FirstToSecond", describe_direction(first, second, "first", "second"));
        g_variant_builder_add(&builder, "{sv}", "SecondToFirst", describe_direction(second, first, "second", "first"));
        return g_variant_new("(a{sv})", &builder);
}
