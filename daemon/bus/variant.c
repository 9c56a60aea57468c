/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A walk over a GVariant that opens, fills and closes the same containers in a message. */

#include <errno.h>
#include <string.h>

#include "variant.h"

GVariant *variant_text(const char *text) {
        return g_variant_new_take_string(g_utf8_make_valid(text ?: "", -1));
}

static int append(sd_bus_message *message, GVariant *value);

static int append_children(sd_bus_message *message, GVariant *value) {
        const gsize n = g_variant_n_children(value);

        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
                int r = append(message, child);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* @contents: what sd-bus wants to be told when a container is opened. */
static int append_container(sd_bus_message *message, char type, const char *contents, GVariant *value) {
        int r = sd_bus_message_open_container(message, type, contents);
        if (r < 0)
                return r;
        r = append_children(message, value);
        if (r < 0)
                return r;
        return sd_bus_message_close_container(message);
}

/* The signature without its first character, and for "(…)" and "{…}" without the last one. */
static char *inner_type(GVariant *value, gboolean bracketed) {
        const char *type = g_variant_get_type_string(value);

        return g_strndup(type + 1, strlen(type) - (bracketed ? 2 : 1));
}

static int append_basic(sd_bus_message *message, GVariant *value) {
        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_BOOLEAN: {
                const int b = g_variant_get_boolean(value);
                return sd_bus_message_append_basic(message, SD_BUS_TYPE_BOOLEAN, &b);
        }
        case G_VARIANT_CLASS_INT32: {
                const int32_t i = g_variant_get_int32(value);
                return sd_bus_message_append_basic(message, SD_BUS_TYPE_INT32, &i);
        }
        case G_VARIANT_CLASS_UINT32: {
                const uint32_t u = g_variant_get_uint32(value);
                return sd_bus_message_append_basic(message, SD_BUS_TYPE_UINT32, &u);
        }
        case G_VARIANT_CLASS_UINT64: {
                const uint64_t t = g_variant_get_uint64(value);
                return sd_bus_message_append_basic(message, SD_BUS_TYPE_UINT64, &t);
        }
        case G_VARIANT_CLASS_STRING:
        case G_VARIANT_CLASS_OBJECT_PATH:
                return sd_bus_message_append_basic(message, *g_variant_get_type_string(value),
                                                   g_variant_get_string(value, NULL));
        default:
                return -EOPNOTSUPP;
        }
}

static int append(sd_bus_message *message, GVariant *value) {
        g_autofree char *inner = NULL;

        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_VARIANT: {
                g_autoptr(GVariant) content = g_variant_get_variant(value);
                return append_container(message, SD_BUS_TYPE_VARIANT, g_variant_get_type_string(content), value);
        }
        case G_VARIANT_CLASS_ARRAY:
                inner = inner_type(value, FALSE);
                return append_container(message, SD_BUS_TYPE_ARRAY, inner, value);
        case G_VARIANT_CLASS_DICT_ENTRY:
                inner = inner_type(value, TRUE);
                return append_container(message, SD_BUS_TYPE_DICT_ENTRY, inner, value);
        case G_VARIANT_CLASS_TUPLE:
                inner = inner_type(value, TRUE);
                return append_container(message, SD_BUS_TYPE_STRUCT, inner, value);
        default:
                return append_basic(message, value);
        }
}

int variant_append_body(sd_bus_message *message, GVariant *body) {
        return body ? append_children(message, body) : 0;
}
