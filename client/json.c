/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The door to the module that writes JSON. It must not choose what is printed. */

#include <stdio.h>
#include <stdlib.h>

#include "json-module.h"
#include "json.h"
#include "plugin.h"

static JsonModuleAppend append;

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

/* Nothing can be told without it: what was asked for is JSON and nothing else. */
static void load(void) {
        g_autoptr(GError) error = NULL;

        append = (JsonModuleAppend) plugin_symbol(JSON_MODULE, JSON_MODULE_APPEND, &error);
        if (append)
                return;
        (void) fprintf(stderr, "nestvirtctl: JSON can't be written: %s\n", error->message);
        exit(EXIT_FAILURE);
}

void json_append(GString *text, GVariant *value, JsonMode mode) {
        if (!append)
                load();
        append(text, value, mode == JSON_PRETTY, json_key);
}
