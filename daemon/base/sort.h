/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

/* For sorting an array of names, by their bytes. (GLib has one of its own from 2.76 on.) */
static inline int compare_names(gconstpointer a, gconstpointer b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The keys of a table of strings, sorted; they stay the table's. */
GPtrArray *sorted_keys(GHashTable *table);
GStrv sorted_keys_copy(GHashTable *table);
