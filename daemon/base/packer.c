/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Writes the block. It must not know what is said. */

#include <string.h>

#include "bound-text.h"
#include "packer.h"

/* Of an array of texts: such as the sources that lose (Overridden). */
#define TEXTS_MAX ((gsize) 16 * 1024)
/* A module has about so many. */
#define ROOM 16384U

struct Packer {
        GByteArray *bytes;
        gsize property; /* where the size of the present one stands */
        bool begun;     /* there is one */
        gsize max;      /* of the texts in what is written now */
};

Packer *packer_new(void) {
        Packer *packer = g_new(Packer, 1);

        *packer = (Packer) {.bytes = g_byte_array_sized_new(ROOM), .max = BOUND_NAME};
        return packer;
}

static void put(Packer *packer, const void *bytes, gsize size) {
        (void) g_byte_array_append(packer->bytes, bytes, (guint) size);
}

static void put_letter(Packer *packer, char letter) {
        put(packer, &letter, 1);
}

static void put_text(Packer *packer, const char *text) {
        put(packer, text, strlen(text) + 1);
}

static void end_property(Packer *packer) {
        const guint32 size = packer->bytes->len - (guint32) (packer->property + sizeof(size));

        if (packer->begun)
                memcpy(packer->bytes->data + packer->property, &size, sizeof(size));
}

Packed *packer_end(Packer *packer) {
        end_property(packer);
        const gsize size = packer->bytes->len;
        Packed *packed = g_malloc(sizeof(*packed) + size);
        packed->size = size;
        if (size > 0)
                memcpy(packed->bytes, packer->bytes->data, size);
        (void) g_byte_array_free(packer->bytes, TRUE);
        g_free(packer);
        return packed;
}

void packer_property(Packer *packer, const char *name, const char *type) {
        const guint32 later = 0;

        end_property(packer);
        packer->begun = true;
        packer->property = packer->bytes->len;
        packer->max = bound_text_max(name);
        put(packer, &later, sizeof(later));
        put_text(packer, name);
        put_letter(packer, 'v');
        put_text(packer, type);
}

void packer_entry(Packer *packer, const char *key, const char *type) {
        packer->max = bound_text_max(key);
        put(packer, "{sv\0s", 5);
        put_text(packer, key);
        put_letter(packer, 'v');
        put_text(packer, type);
}

void packer_named(Packer *packer, const char *key, const char *type) {
        packer->max = bound_text_max(key);
        put(packer, "{s", 2);
        put_text(packer, type);
        put_letter(packer, 's');
        put_text(packer, key);
}

void packer_open(Packer *packer, const char *element) {
        put_letter(packer, 'a');
        put_text(packer, element);
}

void packer_close(Packer *packer) {
        put_letter(packer, PACKED_END);
}

void packer_boolean(Packer *packer, bool value) {
        put_letter(packer, 'b');
        put_letter(packer, (char) value);
}

void packer_uint32(Packer *packer, guint32 value) {
        put_letter(packer, 'u');
        put(packer, &value, sizeof(value));
}

/* Files may hold anything, D-Bus takes UTF-8 alone. The answer is @text itself when it is good,
 * else *@ret_made. */
static const char *make_good(const char *text, gsize max, char **ret_made) {
        if (g_utf8_validate(text, -1, NULL) && strlen(text) <= max)
                return text;
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        return *ret_made = bound_text(valid, max);
}

void packer_text(Packer *packer, const char *text) {
        g_autofree char *made = NULL;

        put_letter(packer, 's');
        put_text(packer, make_good(text, packer->max, &made));
}

/* What the text takes in an array of texts of a message, to the next one that is aligned. */
static gsize text_size(const char *text) {
        return (4 + strlen(text) + 1 + 7) / 8 * 8;
}

void packer_texts(Packer *packer, const char *const *texts) {
        gsize size = 0;
        guint rest;

        packer_open(packer, "s");
        for (; texts && *texts; texts++) {
                g_autofree char *made = NULL;
                const char *good = make_good(*texts, packer->max, &made);
                if (text_size(good) > TEXTS_MAX - size)
                        break;
                size += text_size(good);
                put_letter(packer, 's');
                put_text(packer, good);
        }
        rest = texts ? g_strv_length((char **) texts) : 0;
        if (rest > 0) {
                g_autofree char *more = g_strdup_printf(BOUND_ELLIPSIS " and %u more", rest);
                packer_text(packer, more);
        }
        packer_close(packer);
}

static void put_children(Packer *packer, GVariant *value) {
        const gsize n = g_variant_n_children(value);

        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
                packer_variant(packer, child);
        }
}

/* The signature without its first character, and for "(…)" and "{…}" without the last one. */
static void put_inner(Packer *packer, GVariant *value, bool bracketed) {
        const char *type = g_variant_get_type_string(value);

        put(packer, type + 1, strlen(type) - (bracketed ? 2 : 1));
        put_letter(packer, 0);
}

static void put_entry(Packer *packer, GVariant *value) {
        g_autoptr(GVariant) key = g_variant_get_child_value(value, 0), of_key = g_variant_get_child_value(value, 1);
        const gsize max = packer->max;

        put_letter(packer, '{');
        put_inner(packer, value, true);
        if (g_variant_is_of_type(key, G_VARIANT_TYPE_STRING)) {
                put_letter(packer, 's');
                put_text(packer, g_variant_get_string(key, NULL));
                packer->max = bound_text_max(g_variant_get_string(key, NULL));
        } else
                packer_variant(packer, key);
        packer_variant(packer, of_key);
        packer->max = max;
}

static void put_container(Packer *packer, GVariant *value) {
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
                g_autofree const char **texts = g_variant_get_strv(value, NULL);
                packer_texts(packer, texts);
                return;
        }
        put_letter(packer, g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY) ? 'a' : '(');
        put_inner(packer, value, !g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY));
        put_children(packer, value);
        packer_close(packer);
}

void packer_variant(Packer *packer, GVariant *value) {
        const GVariantClass class = g_variant_classify(value);

        switch (class) {
        case G_VARIANT_CLASS_STRING:
                packer_text(packer, g_variant_get_string(value, NULL));
                return;
        case G_VARIANT_CLASS_OBJECT_PATH:
                put_letter(packer, 'o');
                put_text(packer, g_variant_get_string(value, NULL));
                return;
        case G_VARIANT_CLASS_VARIANT: {
                g_autoptr(GVariant) inner = g_variant_get_variant(value);
                put_letter(packer, 'v');
                put_text(packer, g_variant_get_type_string(inner));
                packer_variant(packer, inner);
                return;
        }
        case G_VARIANT_CLASS_DICT_ENTRY:
                put_entry(packer, value);
                return;
        case G_VARIANT_CLASS_ARRAY:
        case G_VARIANT_CLASS_TUPLE:
                put_container(packer, value);
                return;
        case G_VARIANT_CLASS_BOOLEAN:
        case G_VARIANT_CLASS_INT32:
        case G_VARIANT_CLASS_UINT32:
        case G_VARIANT_CLASS_UINT64:
                put_letter(packer, (char) class);
                put(packer, g_variant_get_data(value), g_variant_get_size(value));
                return;
        default:
                /* The letters of packed.h are all that a reader knows. */
                g_assert_not_reached();
        }
}

Packed *packer_pack(GVariant *properties) {
        g_autoptr(GVariant) sunk = g_variant_ref_sink(properties);
        Packer *packer = packer_new();
        const gsize n = g_variant_n_children(sunk);

        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) entry = g_variant_get_child_value(sunk, i);
                g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0),
                                    boxed = g_variant_get_child_value(entry, 1), value = g_variant_get_variant(boxed);
                packer_property(packer, g_variant_get_string(key, NULL), g_variant_get_type_string(value));
                packer_variant(packer, value);
        }
        return packer_end(packer);
}
