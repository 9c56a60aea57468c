/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the result and tells whether it still holds. Who runs the probe, and when, is not known
 * here. */

#include <string.h>

#include "module.h"
#include "probe-result.h"

#define RESULT_MAX ((size_t) 64 * 1024)
/* The one that is not as the program said. */
#define STALE "Stale"

typedef struct Key {
        const char *name;
        const char *type;
} Key;

/* Those that are published, sorted. Loads is not: by module the number of its directory in sysfs,
 * another one after each load. */
static const Key keys[] = {
                {"BootId", "s"},  {"Counts", "a{st}"},     {"Emulated", "b"},
                {"Message", "s"}, {"Parameters", "a{ss}"}, {"Result", "s"},
                {STALE, "b"},     {"Time", "t"},           {"Times", "a{sa{st}}"},
};

/* g_variant_parse() takes no text that is not UTF-8, and does not say so. */
static GVariant *read_text(const Root *root) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read(root, PROBE_RESULT_PATH, RESULT_MAX, &text, &size, NULL) ||
            !g_utf8_validate(text, (gssize) size, NULL))
                return NULL;
        return g_variant_parse(G_VARIANT_TYPE_VARDICT, text, text + size, NULL, NULL);
}

/* Its modules are the ones that it was found with. */
static bool is_loaded_as(const Root *root, GVariant *loads) {
        GVariantIter i;
        const char *module;
        guint64 number, now;

        g_variant_iter_init(&i, loads);
        while (g_variant_iter_next(&i, "{&st}", &module, &number))
                if (!module_load_number(root, module, &now) || now != number)
                        return false;
        return true;
}

static bool is_stale(const Root *root, const char *boot_id, GVariant *read) {
        g_autoptr(GVariant) loads = g_variant_lookup_value(read, "Loads", G_VARIANT_TYPE("a{st}"));
        const char *boot = "";

        (void) g_variant_lookup(read, "BootId", "&s", &boot);
        return !g_str_equal(boot, boot_id) || !loads || !is_loaded_as(root, loads);
}

GVariant *probe_result_read(const Root *root, const char *boot_id) {
        g_autoptr(GVariant) read = read_text(root);
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        for (gsize i = 0; read && i < G_N_ELEMENTS(keys); i++) {
                g_autoptr(GVariant) value = g_variant_lookup_value(read, keys[i].name, G_VARIANT_TYPE(keys[i].type));
                if (!value)
                        continue;
                if (g_str_equal(keys[i].name, STALE))
                        g_variant_builder_add(&builder, "{sv}", STALE,
                                              g_variant_new_boolean(is_stale(root, boot_id, read)));
                else
                        g_variant_builder_add(&builder, "{sv}", keys[i].name, value);
        }
        return g_variant_ref_sink(g_variant_builder_end(&builder));
}
