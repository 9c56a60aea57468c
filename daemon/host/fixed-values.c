/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The text, and the difference of two. */

#include <string.h>

#include "fixed-values.h"
#include "sort.h"

/* So many of them go into a sentence. */
#define NAMED_MAX 6U

static void add_module(GPtrArray *lines, const Module *module) {
        GHashTableIter iter;
        gpointer name, data;

        g_hash_table_iter_init(&iter, module->values);
        while (g_hash_table_iter_next(&iter, &name, &data)) {
                const ModuleValue *value = data;
                if (!value->writable && !g_str_equal(name, "nested"))
                        g_ptr_array_add(lines,
                                        g_strdup_printf("%s.%s=%s", module->name, (const char *) name, value->value));
        }
}

char *fixed_values(const Host *host) {
        g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                if (!module_is_present(module))
                        return NULL;
                add_module(lines, module);
        }
        g_ptr_array_sort(lines, compare_names);
        g_ptr_array_add(lines, g_strdup(""));
        g_ptr_array_add(lines, NULL);
        return g_strjoinv("\n", (char **) lines->pdata);
}

static GHashTable *parse(const char *text) {
        GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (char **line = lines; *line; line++) {
                const char *equals = strchr(*line, '=');
                if (equals)
                        (void) g_hash_table_insert(values, g_strndup(*line, (gsize) (equals - *line)),
                                                   g_strdup(equals + 1));
        }
        return values;
}

char *fixed_values_compare(const char *before, const char *now) {
        g_autoptr(GHashTable) old = parse(before), new = parse(now);
        g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(new), (GCompareFunc) strcmp);
        g_autoptr(GString) text = g_string_new(NULL);
        unsigned n = 0;

        for (const GList *i = names; i; i = i->next) {
                const char *was = g_hash_table_lookup(old, i->data), *is = g_hash_table_lookup(new, i->data);
                if (!was || g_str_equal(was, is) || n++ >= NAMED_MAX)
                        continue;
                g_string_append_printf(text, "%s%s was %s and is %s", n > 1 ? ", " : "", (const char *) i->data, was,
                                       is);
        }
        if (n > NAMED_MAX)
                g_string_append_printf(text, " and %u more", n - NAMED_MAX);
        if (n == 0)
                g_string_append(text, "KVM has other parameters than before");
        return g_string_free(g_steal_pointer(&text), FALSE);
}
