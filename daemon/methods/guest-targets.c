/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A list, and how people and tables call what is in it. */

#include "guest-targets.h"

/* So many are named where people read it. */
#define NAMES_SAID 3U

static void target_free(gpointer data) {
        GuestTarget *target = data;

        g_free(target->name);
        g_free(target->uuid);
        guest_edit_free(target->edit);
        g_free(target);
}

GPtrArray *guest_targets_new(void) {
        return g_ptr_array_new_with_free_func(target_free);
}

void guest_targets_add(GPtrArray *targets, const char *name, const char *uuid, const GuestEdit *edit) {
        GuestTarget *target = g_new(GuestTarget, 1);

        *target = (GuestTarget) {
                        .name = g_strdup(name), .uuid = g_strdup(uuid), .edit = edit ? guest_edit_copy(edit) : NULL};
        g_ptr_array_add(targets, target);
}

GHashTable *guest_targets_by_uuid(GHashTable *names) {
        GHashTable *uuids = g_hash_table_new(g_str_hash, g_str_equal);
        GHashTableIter iter;
        gpointer name, uuid;

        g_hash_table_iter_init(&iter, names);
        while (g_hash_table_iter_next(&iter, &name, &uuid))
                (void) g_hash_table_insert(uuids, uuid, name);
        return uuids;
}

const char *guest_targets_find(GHashTable *names, GHashTable *uuids, const char *word, const char **ret_name) {
        const char *uuid = g_hash_table_lookup(names, word);
        g_autofree char *lower = g_ascii_strdown(word, -1);
        gpointer key = NULL;

        if (!uuid && g_hash_table_lookup_extended(uuids, lower, &key, NULL))
                uuid = key;
        if (uuid && ret_name)
                *ret_name = g_hash_table_lookup(uuids, uuid);
        return uuid;
}

char *guest_targets_say(const GPtrArray *targets) {
        g_autoptr(GString) text = g_string_new(NULL);
        const unsigned all = targets->len, said = MIN(all, NAMES_SAID);

        for (unsigned i = 0; i < said; i++) {
                const GuestTarget *target = g_ptr_array_index(targets, i);
                g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", target->name);
        }
        if (all > said)
                g_string_append_printf(text, " and %u more", all - said);
        return g_string_free(g_steal_pointer(&text), FALSE);
}
