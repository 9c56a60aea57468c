/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Packed properties as a test can look at them. */

#include "unpacked.h"

static GVariant *take(const char **at);

static GVariant *take_members(const char **at, const char *type) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE(type));
        while (**at != PACKED_END)
                g_variant_builder_add_value(&builder, take(at));
        (*at)++;
        return g_variant_builder_end(&builder);
}

static GVariant *take_container(char letter, const char **at) {
        const char *inner = packed_take_text(at);
        g_autofree char *type = letter == 'a' ? g_strconcat("a", inner, NULL) : g_strconcat("(", inner, ")", NULL);

        if (letter == 'v') {
                GVariant *value = take(at);
                g_assert_cmpstr(g_variant_get_type_string(value), ==, inner);
                return g_variant_new_variant(value);
        }
        if (letter == '{') {
                GVariant *key = take(at);
                return g_variant_new_dict_entry(key, take(at));
        }
        return take_members(at, type);
}

static GVariant *take(const char **at) {
        const char letter = *(*at)++;
        guint64 t;
        guint32 u;
        gint32 i;

        switch (letter) {
        case 's':
                return g_variant_new_string(packed_take_text(at));
        case 'o':
                return g_variant_new_object_path(packed_take_text(at));
        case 'b':
                return g_variant_new_boolean(*(*at)++);
        case 'u':
                packed_take_number(at, &u, sizeof(u));
                return g_variant_new_uint32(u);
        case 'i':
                packed_take_number(at, &i, sizeof(i));
                return g_variant_new_int32(i);
        case 't':
                packed_take_number(at, &t, sizeof(t));
                return g_variant_new_uint64(t);
        default:
                return take_container(letter, at);
        }
}

GVariant *unpacked(Packed *packed) {
        const char *at = packed->bytes, *end = packed->bytes + packed->size;
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        while (at < end) {
                guint32 size;
                packed_take_number(&at, &size, sizeof(size));
                const char *next = at + size, *name = packed_take_text(&at);
                g_variant_builder_add(&builder, "{s@v}", name, take(&at));
                g_assert_true(at == next);
        }
        g_assert_true(at == end);
        packed_free(packed);
        return g_variant_ref_sink(g_variant_builder_end(&builder));
}
