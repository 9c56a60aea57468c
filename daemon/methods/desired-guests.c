/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Guests and sections, held against each other by name and UUID. */

#include <string.h>

#include "desired-guests.h"
#include "guest-targets.h"
#include "sort.h"

/* Of the guests that [Guests] is not about: the names as they are written. */
static GHashTable *exceptions(const Desired *desired) {
        GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        const DesiredKey *key = desired_find(desired, DESIRED_GUESTS, "Except");
        g_auto(GStrv) words = g_strsplit(key ? key->value : "", ";", -1);

        for (char **word = words; *word; word++)
                if (*g_strstrip(*word))
                        (void) g_hash_table_add(set, g_strdup(*word));
        return set;
}

static void replace(char **word, const DesiredKey *key) {
        if (!key)
                return;
        g_free(*word);
        *word = g_strdup(key->value);
}

/* True when the section says anything. */
static bool take_section(const Desired *desired, const char *section, GuestEdit *edit) {
        const DesiredKey *mode = desired_find(desired, section, "Mode"),
                         *model = desired_find(desired, section, "Model"),
                         *nested = desired_find(desired, section, "Nested");

        replace(&edit->mode, mode);
        replace(&edit->model, model);
        if (nested)
                edit->nested = desired_is_yes(nested);
        return mode || model || nested;
}

static bool take_guest(const Desired *desired, const char *word, GuestEdit *edit) {
        g_autofree char *section = g_strconcat(DESIRED_GUEST_PREFIX, word, NULL);

        return take_section(desired, section, edit);
}

static void choose(const Desired *desired, GHashTable *except, const char *name, const char *uuid, GPtrArray *targets) {
        g_autoptr(GuestEdit) edit = guest_edit_new();
        bool any = false;

        if (!g_hash_table_contains(except, name) && !g_hash_table_contains(except, uuid))
                any = take_section(desired, DESIRED_GUESTS, edit);
        any = take_guest(desired, uuid, edit) || any;
        any = take_guest(desired, name, edit) || any;
        if (any)
                guest_targets_add(targets, name, uuid, edit);
}

/* Once for each section. */
static void note_missing(const Desired *desired, GHashTable *names, GPtrArray *notes) {
        g_autoptr(GHashTable) uuids = guest_targets_by_uuid(names), told = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < desired->keys->len; i++) {
                const DesiredKey *key = g_ptr_array_index(desired->keys, i);
                const char *guest = desired_guest(key->section);
                if (guest && g_hash_table_add(told, key->section) && !guest_targets_find(names, uuids, guest, NULL))
                        g_ptr_array_add(notes, g_strdup_printf("%s:%u: there is no guest \"%s\" here", key->file,
                                                               key->line, guest));
        }
}

void desired_guests(const Desired *desired, GHashTable *names, GPtrArray *targets, GPtrArray *notes) {
        g_autoptr(GHashTable) except = exceptions(desired);
        g_autoptr(GPtrArray) sorted = sorted_keys(names);

        for (unsigned i = 0; i < sorted->len; i++) {
                const char *name = g_ptr_array_index(sorted, i);
                choose(desired, except, name, g_hash_table_lookup(names, name), targets);
        }
        note_missing(desired, names, notes);
}
