/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two files for each guest. What can't be read is left to whoever can ask otherwise: debugfs may
 * not be mounted, and a kernel that is locked down withholds nested_run, which can be cleared
 * (virt/kvm/kvm_main.c, kvm_stats_debugfs_mode(); fs/debugfs/file.c, debugfs_locked_down()). */

#include <string.h>

#include "nested-runs.h"
#include "vm-folders.h"

/* A number and a newline. */
#define COUNTER_MAX ((size_t) 64)

/* -1: it can't be read. */
static gint64 read_counter(const Root *root, const char *folder, const char *name) {
        g_autofree char *path = g_build_filename(VM_FOLDERS_PATH, folder, name, NULL), *text = NULL;
        guint64 value;

        if (!root_read(root, path, COUNTER_MAX, &text, NULL, NULL) ||
            !g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT64, &value, NULL))
                return -1;
        return (gint64) MIN(value, (guint64) G_MAXINT64);
}

GHashTable *nested_runs_read(const Root *root, GHashTable *guests) {
        GHashTable *runs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_autoptr(GError) unreachable = NULL;
        g_auto(GStrv) folders = vm_folders_list(root, &unreachable);
        g_autoptr(GHashTable) claims = vm_folders_claims(root, folders, guests);
        GHashTableIter iter;
        gpointer uuid, folder;

        g_hash_table_iter_init(&iter, claims);
        while (g_hash_table_iter_next(&iter, &uuid, &folder)) {
                const gint64 nested_run = *(const char *) folder ? read_counter(root, folder, "nested_run") : -1;
                if (nested_run < 0)
                        continue;
                NestedRun *run = g_new(NestedRun, 1);
                *run = (NestedRun) {.nested_run = nested_run, .guest_mode = read_counter(root, folder, "guest_mode")};
                (void) g_hash_table_insert(runs, g_strdup(uuid), run);
        }
        return runs;
}
