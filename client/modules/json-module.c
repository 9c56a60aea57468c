/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module that writes JSON, by json-glib: a walk over the values. It is loaded when JSON is asked
 * for (json.c), since the libraries that come with it take longer to load than all the rest of the
 * client. */

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "json-module.h"

static JsonNode *node_new(const Value *value, JsonKey key_of);

static JsonNode *node_of_real(double number) {
        /* JSON has neither infinities nor NaN. */
        return isfinite(number) ? json_node_init_double(json_node_alloc(), number) : json_node_new(JSON_NODE_NULL);
}

static JsonNode *node_of_basic(const Value *value) {
        switch (value->type) {
        case 'b':
                return json_node_init_boolean(json_node_alloc(), value->number != 0);
        case 'd':
                return node_of_real(value->real);
        case 'n':
        case 'i':
        case 'x':
                return json_node_init_int(json_node_alloc(), value->integer);
        case 'y':
        case 'q':
        case 'u':
        case 't':
                /* A counter above 2^63 is one that has run over. */
                return json_node_init_int(json_node_alloc(), (gint64) MIN(value->number, (guint64) G_MAXINT64));
        default:
                return json_node_init_string(json_node_alloc(), value->text);
        }
}

static char *key_text(const Value *dictionary, const Value *key, JsonKey key_of) {
        if (!value_is_text(key))
                return strchr("nix", key->type) ? g_strdup_printf("%" G_GINT64_FORMAT, key->integer)
                                                : g_strdup_printf("%" G_GUINT64_FORMAT, key->number);
        return dictionary->properties ? key_of(key->text) : g_strdup(key->text);
}

static JsonNode *node_of_dictionary(const Value *value, JsonKey key_of) {
        g_autoptr(JsonObject) object = json_object_new();

        for (guint32 i = 0; i < value_length(value); i++) {
                g_autofree char *key = key_text(value, value_key(value, i), key_of);
                json_object_set_member(object, key, node_new(value_at(value, i), key_of));
        }
        return json_node_init_object(json_node_alloc(), object);
}

static JsonNode *node_of_array(const Value *value, JsonKey key_of) {
        g_autoptr(JsonArray) array = json_array_new();

        for (guint32 i = 0; i < value_length(value); i++)
                json_array_add_element(array, node_new(value_at(value, i), key_of));
        return json_node_init_array(json_node_alloc(), array);
}

static JsonNode *node_new(const Value *value, JsonKey key_of) {
        if (value->type == VALUE_DICTIONARY)
                return node_of_dictionary(value, key_of);
        return value_is_container(value) ? node_of_array(value, key_of) : node_of_basic(value);
}

void json_module_append(GString *text, const Value *value, bool pretty, JsonKey key_of) {
        g_autoptr(JsonGenerator) generator = json_generator_new();
        g_autoptr(JsonNode) root = node_new(value, key_of);

        json_generator_set_root(generator, root);
        json_generator_set_pretty(generator, pretty);
        (void) json_generator_to_gstring(generator, text);
}
