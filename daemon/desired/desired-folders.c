/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which files count, and in which order. What they say is desired.c's. */

#include <string.h>

#include "desired-folders.h"
#include "error.h"
#include "settings.h"
#include "sort.h"

/* Least important first: a later one replaces what has its name. */
static const char *const folders[] = {DESIRED_VENDOR_FOLDER, DESIRED_FOLDER};

static bool is_read(const char *name) {
        return name[0] != '.' && g_str_has_suffix(name, ".conf") && !g_str_equal(name, strrchr(SETTINGS_PATH, '/') + 1);
}

/* name -> folder */
static GHashTable *list(const Root *root, Stamps *stamps) {
        GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
                struct stat st;
                (void) stamps_stat(stamps, root, folders[i], &st);
                g_auto(GStrv) names = root_list(root, folders[i]);
                for (char **name = names; *name; name++)
                        if (is_read(*name))
                                (void) g_hash_table_insert(files, g_strdup(*name), (gpointer) folders[i]);
        }
        return files;
}

static bool is_masked(const Root *root, const char *path) {
        g_autofree char *target = root_read_link(root, path);

        return g_strcmp0(target, "/dev/null") == 0;
}

static bool add_file(Desired *desired, const Root *root, const char *path, GError **error) {
        g_autofree char *text = NULL, *shown = g_strdup_printf("/%s", path);
        g_autofree char *valid = g_utf8_make_valid(shown, -1);
        size_t size = 0;

        if (is_masked(root, path))
                return true;
        if (!root_read_any(root, path, ROOT_FILE_MAX, &text, &size, error)) {
                g_prefix_error(error, "Cannot read %s: ", valid);
                return false;
        }
        if (text && strlen(text) != size) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s is no text: it has a NUL byte", valid);
                return false;
        }
        return !text || desired_add_text(desired, valid, text, error);
}

Desired *desired_read(const Root *root, Stamps *stamps, GError **error) {
        g_autoptr(Desired) desired = desired_new();
        g_autoptr(GHashTable) files = list(root, stamps);
        g_autoptr(GPtrArray) names = sorted_keys(files);

        if (names->len > DESIRED_FILES_MAX) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "There are more than %u files in /" DESIRED_FOLDER " and /" DESIRED_VENDOR_FOLDER,
                            DESIRED_FILES_MAX);
                return NULL;
        }
        for (unsigned i = 0; i < names->len; i++) {
                const char *name = g_ptr_array_index(names, i);
                g_autofree char *path = g_strdup_printf("%s/%s", (const char *) g_hash_table_lookup(files, name), name);
                struct stat st;
                (void) stamps_stat(stamps, root, path, &st);
                if (!add_file(desired, root, path, error))
                        return NULL;
        }
        return g_steal_pointer(&desired);
}
