/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module that writes and reads JSON, by json-c: a walk over the values. It is loaded when JSON
 * is asked for (json.c), which most do not. */

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "json-module.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_object, json_object_put)

static json_object *json_of(const Value *value, JsonKey key_of);
static Value *value_of(json_object *object);

/* The library's NULL is a null, and also what it returns when there is no memory, where all else
 * here ends, too. */
static json_object *made(json_object *object) {
        if (!object)
                g_error("There is no memory for JSON");
        return object;
}

static void expect(int r) {
        if (r != 0)
                g_error("There is no memory for JSON");
}

static json_object *json_of_basic(const Value *value) {
        switch (value->type) {
        case 'b':
                return made(json_object_new_boolean(value->number != 0));
        case 'd':
                /* JSON has neither infinities nor NaN. */
                return isfinite(value->real) ? made(json_object_new_double(value->real)) : json_object_new_null();
        case 'n':
        case 'i':
        case 'x':
                return made(json_object_new_int64(value->integer));
        case 'y':
        case 'q':
        case 'u':
        case 't':
                /* A counter above 2^63 is one that has run over. */
                return made(json_object_new_int64((gint64) MIN(value->number, (guint64) G_MAXINT64)));
        default:
                return made(json_object_new_string(value->text));
        }
}

static char *key_text(const Value *dictionary, const Value *key, JsonKey key_of) {
        if (!value_is_text(key))
                return strchr("nix", key->type) ? g_strdup_printf("%" G_GINT64_FORMAT, key->integer)
                                                : g_strdup_printf("%" G_GUINT64_FORMAT, key->number);
        return dictionary->properties ? key_of(key->text) : g_strdup(key->text);
}

static json_object *json_of_dictionary(const Value *value, JsonKey key_of) {
        json_object *object = made(json_object_new_object());

        for (guint32 i = 0; i < value_length(value); i++) {
                g_autofree char *key = key_text(value, value_key(value, i), key_of);
                expect(json_object_object_add(object, key, json_of(value_at(value, i), key_of)));
        }
        return object;
}

static json_object *json_of_list(const Value *value, JsonKey key_of) {
        json_object *array = made(json_object_new_array());

        for (guint32 i = 0; i < value_length(value); i++)
                expect(json_object_array_add(array, json_of(value_at(value, i), key_of)));
        return array;
}

static json_object *json_of(const Value *value, JsonKey key_of) {
        if (value->type == VALUE_DICTIONARY)
                return json_of_dictionary(value, key_of);
        return value_is_container(value) ? json_of_list(value, key_of) : json_of_basic(value);
}

void json_module_append(GString *text, const Value *value, bool pretty, JsonKey key_of) {
        const int form = pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;
        g_autoptr(json_object) root = json_of(value, key_of);
        const char *json = json_object_to_json_string_ext(root, form | JSON_C_TO_STRING_NOSLASHESCAPE);

        if (!json)
                g_error("There is no memory for JSON");
        g_string_append(text, json);
}

#define DEPTH_MAX 16

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_tokener, json_tokener_free)

static void take(Value *parent, const char *name, json_object *object) {
        switch (json_object_get_type(object)) {
        case json_type_string:
                value_add_text(parent, name, json_object_get_string(object));
                break;
        case json_type_array:
        case json_type_object:
                value_take(parent, name, value_of(object));
                break;
        default:
                break;
        }
}

static Value *value_of_list(json_object *array) {
        Value *list = value_new(VALUE_LIST);

        for (gsize i = 0; i < json_object_array_length(array); i++)
                take(list, NULL, json_object_array_get_idx(array, i));
        return list;
}

static Value *value_of(json_object *object) {
        struct json_object_iterator at, end;
        Value *dictionary;

        if (json_object_is_type(object, json_type_array))
                return value_of_list(object);
        dictionary = value_new_named();
        at = json_object_iter_begin(object);
        end = json_object_iter_end(object);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
                take(dictionary, json_object_iter_peek_name(&at), json_object_iter_peek_value(&at));
        return dictionary;
}

Value *json_module_read(const char *text) {
        g_autoptr(json_tokener) tokener = json_tokener_new_ex(DEPTH_MAX);
        g_autoptr(json_object) object = NULL;

        if (!tokener)
                g_error("There is no memory for JSON");
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        /* With the byte that ends it, after which nothing is expected any more. */
        object = json_tokener_parse_ex(tokener, text, (int) strlen(text) + 1);
        return json_object_is_type(object, json_type_object) ? value_of(object) : NULL;
}
