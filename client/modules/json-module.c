/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module that writes JSON, by json-glib: a walk over the GVariant, as the library's own would
 * keep D-Bus names as keys. It is loaded when JSON is asked for (json.c), since the libraries that
 * come with it take longer to load than all the rest of the client. */

#include <json-glib/json-glib.h>
#include <math.h>

#include "json-module.h"

static JsonNode *node_new(GVariant *value, JsonKey key_of);

static JsonNode *node_of_double(double number) {
        /* JSON has neither infinities nor NaN. */
        return isfinite(number) ? json_node_init_double(json_node_alloc(), number) : json_node_new(JSON_NODE_NULL);
}

/* A counter above 2^63 is one that has run over. */
static JsonNode *node_of_unsigned(guint64 number) {
        return json_node_init_int(json_node_alloc(), (gint64) MIN(number, (guint64) G_MAXINT64));
}

static JsonNode *node_of_basic(GVariant *value) {
        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_BOOLEAN:
                return json_node_init_boolean(json_node_alloc(), g_variant_get_boolean(value));
        case G_VARIANT_CLASS_DOUBLE:
                return node_of_double(g_variant_get_double(value));
        case G_VARIANT_CLASS_BYTE:
                return node_of_unsigned(g_variant_get_byte(value));
        case G_VARIANT_CLASS_UINT16:
                return node_of_unsigned(g_variant_get_uint16(value));
        case G_VARIANT_CLASS_UINT32:
                return node_of_unsigned(g_variant_get_uint32(value));
        case G_VARIANT_CLASS_UINT64:
                return node_of_unsigned(g_variant_get_uint64(value));
        case G_VARIANT_CLASS_INT16:
                return json_node_init_int(json_node_alloc(), g_variant_get_int16(value));
        case G_VARIANT_CLASS_INT32:
                return json_node_init_int(json_node_alloc(), g_variant_get_int32(value));
        case G_VARIANT_CLASS_INT64:
                return json_node_init_int(json_node_alloc(), g_variant_get_int64(value));
        default:
                return json_node_init_string(json_node_alloc(), g_variant_get_string(value, NULL));
        }
}

static JsonNode *node_of_dictionary(GVariant *value, JsonKey key_of) {
        const bool names = g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT);
        g_autoptr(JsonObject) object = json_object_new();
        const gsize n = g_variant_n_children(value);

        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) entry = g_variant_get_child_value(value, i);
                g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0);
                g_autoptr(GVariant) member = g_variant_get_child_value(entry, 1);
                g_autofree char *text = g_variant_is_of_type(key, G_VARIANT_TYPE_STRING)
                                                        ? g_variant_dup_string(key, NULL)
                                                        : g_variant_print(key, FALSE);
                g_autofree char *shown = names ? key_of(text) : g_strdup(text);
                json_object_set_member(object, shown, node_new(member, key_of));
        }
        return json_node_init_object(json_node_alloc(), object);
}

static JsonNode *node_of_array(GVariant *value, JsonKey key_of) {
        g_autoptr(JsonArray) array = json_array_new();
        const gsize n = g_variant_n_children(value);

        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
                json_array_add_element(array, node_new(child, key_of));
        }
        return json_node_init_array(json_node_alloc(), array);
}

static JsonNode *node_new(GVariant *value, JsonKey key_of) {
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
                g_autoptr(GVariant) content = g_variant_get_variant(value);
                return node_new(content, key_of);
        }
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_DICTIONARY))
                return node_of_dictionary(value, key_of);
        return g_variant_is_container(value) ? node_of_array(value, key_of) : node_of_basic(value);
}

void json_module_append(GString *text, GVariant *value, bool pretty, JsonKey key_of) {
        g_autoptr(JsonGenerator) generator = json_generator_new();
        g_autoptr(JsonNode) root = node_new(value, key_of);

        json_generator_set_root(generator, root);
        json_generator_set_pretty(generator, pretty);
        (void) json_generator_to_gstring(generator, text);
}
