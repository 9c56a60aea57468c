/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The door to the module that writes and reads JSON. It must not choose what is printed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json-module.h"
#include "json.h"
#include "output.h"
#include "plugin.h"

static JsonModuleAppend append;

char *json_key(const char *name) {
        char *key = g_malloc(2 * strlen(name) + 1), *end = key;

        for (const char *c = name; *c; c++) {
                /* A capital begins a word, but not inside of an abbreviation. */
                if (g_ascii_isupper(*c) && c > name && (g_ascii_islower(c[-1]) || g_ascii_islower(c[1])))
                        *end++ = '_';
                *end++ = g_ascii_tolower(*c);
        }
        *end = '\0';
        return key;
}

/* Nothing can be told without it: what was asked for is JSON and nothing else. */
static gpointer load(const char *symbol, const char *doing) {
        g_autoptr(GError) error = NULL;
        gpointer function = plugin_symbol(JSON_MODULE, symbol, &error);

        if (function)
                return function;
        (void) fprintf(stderr, "nestvirtctl: JSON can't be %s: %s\n", doing, error->message);
        exit(EXIT_FAILURE);
}

/* The generator escapes what JSON itself does not allow. What a terminal would not take for a part
 * of the text either stands in strings alone, which say the same with \u. */
static void append_safely(GString *text, const char *json) {
        for (const char *p = json; *p; p = g_utf8_next_char(p)) {
                const gunichar c = g_utf8_get_char(p);
                if (c < 0x7f || !output_is_unsafe(c))
                        g_string_append_len(text, p, g_utf8_next_char(p) - p);
                else if (c < 0x10000)
                        g_string_append_printf(text, "\\u%04x", c);
                else
                        g_string_append_printf(text, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                                               0xdc00 + ((c - 0x10000) & 0x3ff));
        }
}

static bool is_ascii(const char *text) {
        while (*text > 0 && *text < 0x7f)
                text++;
        return !*text;
}

void json_append(GString *text, const Value *value, JsonMode mode) {
        g_autoptr(GString) json = g_string_new(NULL);

        if (!append)
                append = (JsonModuleAppend) load(JSON_MODULE_APPEND, "written");
        append(json, value, mode == JSON_PRETTY, json_key);
        if (is_ascii(json->str))
                g_string_append_len(text, json->str, (gssize) json->len);
        else
                append_safely(text, json->str);
}

Value *json_read(const char *text) {
        return ((JsonModuleRead) load(JSON_MODULE_READ, "read"))(text);
}
