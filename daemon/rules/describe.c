/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The snapshot as the dictionaries that the two interfaces show, and what differs between two of
 * them. Dictionaries are written in the order of their keys, so that the same snapshot always looks
 * the same. It must not decide anything. */

#include <string.h>

#include "describe.h"
#include "effect-judge.h"
#include "firmware.h"
#include "nested-reason.h"
#include "sort.h"

/* Files may hold anything, D-Bus takes UTF-8 alone. */
static GVariant *string(const char *text) {
        return g_variant_new_take_string(g_utf8_make_valid(text, -1));
}

static GVariant *strings(const char *const *texts) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_STRING_ARRAY);
        for (; texts && *texts; texts++)
                g_variant_builder_add_value(&builder, string(*texts));
        return g_variant_builder_end(&builder);
}

static void add(GVariantBuilder *builder, const char *name, GVariant *value) {
        g_variant_builder_add(builder, "{sv}", name, value);
}

GVariant *describe_manager(const Host *host) {
        g_autofree char *reason = nested_reason(host);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add(&builder, "CpuModel", string(host->cpu->model));
        add(&builder, "Device", string(host->device));
        add(&builder, "Features", strings((const char *const *) host->cpu->features));
        add(&builder, "Firmware", string(firmware_to_string(firmware_judge(host, NULL))));
        add(&builder, "Hypervisor", string(host->cpu->hypervisor));
        add(&builder, "Level", g_variant_new_uint32(host->cpu->level));
        add(&builder, "Mmu", string(host_mmu(host)));
        add(&builder, "Nested", string(host_nested(host)));
        add(&builder, "NestedReason", string(reason ?: ""));
        add(&builder, "ProbeResult", host->probe ?: g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0));
        add(&builder, "Vendor", string(host->cpu->vendor));
        add(&builder, "Version", string(VERSION));
        return g_variant_builder_end(&builder);
}

static GVariant *describe_effect(const Effect *effect) {
        const Parameter *p = effect->parameter;
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add(&builder, "Choices", strings(p->choices));
        add(&builder, "Configured", string(effect->configured));
        add(&builder, "Default", string(effect->normal_default));
        add(&builder, "Description", string(p->description));
        add(&builder, "Effective", string(effect->effective));
        add(&builder, "Kind", string(kind_to_string(p->kind)));
        add(&builder, "Module", string(p->module));
        add(&builder, "Overridden", strings((const char *const *) effect->overridden));
        add(&builder, "Pending", string(effect->pending));
        add(&builder, "Reason", string(effect->reason));
        add(&builder, "Source", string(effect->source));
        add(&builder, "Supported", g_variant_new_boolean(effect->supported));
        add(&builder, "Value", string(effect->value));
        add(&builder, "Writable", g_variant_new_boolean(effect->writable));
        return g_variant_builder_end(&builder);
}

static GVariant *describe_parameters(const Host *host, const Module *module) {
        g_autoptr(GPtrArray) names = sorted_keys(module->values);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sa{sv}}"));
        for (unsigned i = 0; i < names->len; i++) {
                const Parameter *parameter = catalog_find(module->name, g_ptr_array_index(names, i));
                g_autoptr(Effect) effect = parameter ? effect_new(host, parameter) : NULL;
                if (effect)
                        g_variant_builder_add(&builder, "{s@a{sv}}", parameter->name, describe_effect(effect));
        }
        return g_variant_builder_end(&builder);
}

static GVariant *describe_pending(const Host *host, const Module *module) {
        GHashTable *values = g_hash_table_lookup(host->pending, module->name);
        g_autoptr(GPtrArray) names = values ? sorted_keys(values) : g_ptr_array_new();
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
        for (unsigned i = 0; i < names->len; i++)
                g_variant_builder_add(&builder, "{s@s}", g_ptr_array_index(names, i),
                                      string(g_hash_table_lookup(values, g_ptr_array_index(names, i))));
        return g_variant_builder_end(&builder);
}

GVariant *describe_module(const Host *host, const Module *module) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        add(&builder, "InUse", g_variant_new_boolean(module_in_use(module)));
        add(&builder, "Name", string(module->name));
        add(&builder, "Parameters", describe_parameters(host, module));
        add(&builder, "Pending", describe_pending(host, module));
        add(&builder, "State", string(module_state_to_string(module->state)));
        return g_variant_builder_end(&builder);
}

static bool same(GVariant *a, GVariant *b);

/* A dictionary with string keys is the same in any order. */
static bool same_dictionary(GVariant *a, GVariant *b) {
        const gsize n = g_variant_n_children(a);

        if (n != g_variant_n_children(b))
                return false;
        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) entry = g_variant_get_child_value(a, i), key = g_variant_get_child_value(entry, 0);
                g_autoptr(GVariant) value = g_variant_get_child_value(entry, 1);
                g_autoptr(GVariant) other = g_variant_lookup_value(b, g_variant_get_string(key, NULL), NULL);
                g_autoptr(GVariant) plain = g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)
                                                            ? g_variant_get_variant(value)
                                                            : g_variant_ref(value);
                if (!other || !same(plain, other))
                        return false;
        }
        return true;
}

/* Of the same type. What is the same is nearly always written the same, too. */
static bool same_bytes(GVariant *a, GVariant *b) {
        const gsize size = g_variant_get_size(a);

        return size == g_variant_get_size(b) &&
               (size == 0 || memcmp(g_variant_get_data(a), g_variant_get_data(b), size) == 0);
}

static bool same(GVariant *a, GVariant *b) {
        if (!g_variant_is_of_type(a, g_variant_get_type(b)))
                return false;
        if (same_bytes(a, b))
                return true;
        if (g_variant_is_of_type(a, G_VARIANT_TYPE("a{s*}")))
                return same_dictionary(a, b);

        g_autoptr(GVariant) x = g_variant_get_normal_form(a), y = g_variant_get_normal_form(b);
        return g_variant_equal(x, y);
}

/* Adds what @of has and @other lacks, or (@values) has with another value. */
static void add_differences(GPtrArray *names, GVariant *of, GVariant *other, bool values) {
        GVariantIter iter;
        const char *name;
        GVariant *value;

        g_variant_iter_init(&iter, of);
        while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
                g_autoptr(GVariant) found = g_variant_lookup_value(other, name, NULL);
                if (!found || (values && !same(value, found)))
                        g_ptr_array_add(names, g_strdup(name));
        }
}

GStrv describe_diff(GVariant *before, GVariant *after) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (!same_bytes(before, after)) {
                add_differences(names, before, after, true);
                add_differences(names, after, before, false);
        }
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
