/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The door to the module that writes JSON. It must not choose what is printed. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "json-module.h"
#include "json.h"

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

/* Beside the program, as in a build tree, or where it is installed. */
static void *open_module(void) {
        g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
        g_autofree char *folder = program ? g_path_get_dirname(program) : g_strdup(LIBEXECDIR);
        g_autofree char *beside = g_build_filename(folder, JSON_MODULE, NULL);

        return dlopen(beside, RTLD_NOW | RTLD_LOCAL) ?: dlopen(LIBEXECDIR "/" JSON_MODULE, RTLD_NOW | RTLD_LOCAL);
}

/* Nothing can be told without it: what was asked for is JSON and nothing else. */
static void load(void) {
        void *module = open_module();

        append = module ? (JsonModuleAppend) dlsym(module, JSON_MODULE_APPEND) : NULL;
        if (append)
                return;
        (void) fprintf(stderr, "nestvirtctl: JSON can't be written: %s\n", dlerror());
        exit(EXIT_FAILURE);
}

void json_append(GString *text, GVariant *value, JsonMode mode) {
        if (!append)
                load();
        append(text, value, mode == JSON_PRETTY, json_key);
}
