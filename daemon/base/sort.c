/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stands in a table has no order of its own. */

#include "sort.h"

GPtrArray *sorted_keys(GHashTable *table) {
        GPtrArray *names = g_ptr_array_new();
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, table);
        while (g_hash_table_iter_next(&iter, &name, NULL))
                g_ptr_array_add(names, name);
        g_ptr_array_sort(names, compare_names);
        return names;
}

GStrv sorted_keys_copy(GHashTable *table) {
        g_autoptr(GPtrArray) names = sorted_keys(table);

        g_ptr_array_add(names, NULL);
        return g_strdupv((char **) names->pdata);
}
