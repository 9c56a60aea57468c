/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A walk over a GVariant that writes JSON. A library that builds a tree of nodes first would double the time that the program takes to
 * start, and has no numbers above 2^63. It must not choose what is printed. */

#include <math.h>
#include <stdbool.h>

#include "json.h"

typedef struct Writer {
        GString *text;
        JsonMode mode;
        unsigned depth;
} Writer;

char *json_key(const char *name) {
        GString *key = g_string_new(NULL);

        for (const char *c = name; *c; c++) {
                /* A capital begins a word, but not inside of an abbreviation. */
                if (g_ascii_isupper(*c) && c > name && (g_ascii_islower(c[-1]) || g_ascii_islower(c[1])))
                        g_string_append_c(key, '_');
                g_string_append_c(key, g_ascii_tolower(*c));
        }
        return g_string_free(key, FALSE);
}

static void write_string(Writer *writer, const char *string) {
        g_string_append_c(writer->text, '"');
        for (const char *c = string; *c; c++) {
                const guchar byte = (guchar) *c;
                if (byte == '"' || byte == '\\')
                        g_string_append_printf(writer->text, "\\%c", byte);
                else if (byte < 0x20 || byte == 0x7f)
                        g_string_append_printf(writer->text, "\\u%04x", byte);
                else
                        g_string_append_c(writer->text, *c);
        }
        g_string_append_c(writer->text, '"');
}

static void write_double(Writer *writer, double number) {
        char buffer[G_ASCII_DTOSTR_BUF_SIZE];

        /* JSON has neither infinities nor NaN. */
        g_string_append(writer->text, isfinite(number) ? g_ascii_dtostr(buffer, sizeof buffer, number) : "null");
}

static void write_basic(Writer *writer, GVariant *value) {
        GString *text = writer->text;

        switch (g_variant_classify(value)) {
        case G_VARIANT_CLASS_BOOLEAN:
                g_string_append(text, g_variant_get_boolean(value) ? "true" : "false");
                break;
        case G_VARIANT_CLASS_STRING:
        case G_VARIANT_CLASS_OBJECT_PATH:
        case G_VARIANT_CLASS_SIGNATURE:
                write_string(writer, g_variant_get_string(value, NULL));
                break;
        case G_VARIANT_CLASS_BYTE:
                g_string_append_printf(text, "%u", g_variant_get_byte(value));
                break;
        case G_VARIANT_CLASS_DOUBLE:
                write_double(writer, g_variant_get_double(value));
                break;
        default: {
                g_autofree char *number = g_variant_print(value, FALSE);
                g_string_append(text, number);
        }
        }
}

static void newline(Writer *writer) {
        if (writer->mode != JSON_PRETTY)
                return;
        g_string_append_c(writer->text, '\n');
        for (unsigned i = 0; i < writer->depth; i++)
                g_string_append(writer->text, "  ");
}

static void write_value(Writer *writer, GVariant *value);

/* @names: the keys are D-Bus names. */
static void write_entry(Writer *writer, GVariant *entry, bool names) {
        g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0), value = g_variant_get_child_value(entry, 1);
        g_autofree char *text = g_variant_is_of_type(key, G_VARIANT_TYPE_STRING) ? g_variant_dup_string(key, NULL)
                                                                                 : g_variant_print(key, FALSE);
        g_autofree char *shown = names ? json_key(text) : g_steal_pointer(&text);

        write_string(writer, shown);
        g_string_append(writer->text, writer->mode == JSON_PRETTY ? ": " : ":");
        write_value(writer, value);
}

static void write_container(Writer *writer, GVariant *value) {
        const bool object = g_variant_is_of_type(value, G_VARIANT_TYPE_DICTIONARY);
        const bool names = g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT);
        const gsize n = g_variant_n_children(value);

        g_string_append_c(writer->text, object ? '{' : '[');
        writer->depth++;
        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
                if (i > 0)
                        g_string_append_c(writer->text, ',');
                newline(writer);
                if (object)
                        write_entry(writer, child, names);
                else
                        write_value(writer, child);
        }
        writer->depth--;
        if (n > 0)
                newline(writer);
        g_string_append_c(writer->text, object ? '}' : ']');
}

static void write_value(Writer *writer, GVariant *value) {
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
                g_autoptr(GVariant) content = g_variant_get_variant(value);
                write_value(writer, content);
        } else if (g_variant_is_container(value))
                write_container(writer, value);
        else
                write_basic(writer, value);
}

void json_append(GString *text, GVariant *value, JsonMode mode) {
        Writer writer = {.text = text, .mode = mode};

        write_value(&writer, value);
}
