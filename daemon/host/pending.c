/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What waits for idle, as a GKeyFile: a group for each module ("module kvm_amd", parameter=value)
 * and one for each of our files ("file etc/modprobe.d/…", text=… or nothing when there was no
 * file). It decides nothing. */

#include <string.h>

#include "error.h"
#include "file.h"
#include "pending.h"

#define MODULE_GROUP "module "
#define FILE_GROUP "file "

static Pending *pending_new(void) {
        Pending *pending = g_new(Pending, 1);
        pending->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
        pending->before = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        return pending;
}

void pending_free(Pending *pending) {
        if (!pending)
                return;
        g_hash_table_unref(pending->modules);
        g_hash_table_unref(pending->before);
        g_free(pending);
}

static void pending_read_module(Pending *pending, GKeyFile *file, const char *group) {
        g_auto(GStrv) keys = g_key_file_get_keys(file, group, NULL, NULL);

        for (char **key = keys; key && *key; key++) {
                g_autofree char *value = g_key_file_get_string(file, group, *key, NULL);
                if (value)
                        pending_set(pending, group + strlen(MODULE_GROUP), *key, value);
        }
}

/* The text may be anything, a GKeyFile takes UTF-8 alone: it is escaped. */
static void pending_read_file(Pending *pending, GKeyFile *file, const char *group) {
        g_autofree char *escaped = g_key_file_get_string(file, group, "text", NULL);

        g_hash_table_insert(pending->before, g_strdup(group + strlen(FILE_GROUP)),
                            escaped ? g_strcompress(escaped) : NULL);
}

Pending *pending_parse(const char *text) {
        Pending *pending = pending_new();
        g_autoptr(GKeyFile) file = g_key_file_new();

        if (!text || !g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
                return pending;

        g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
        for (char **group = groups; *group; group++)
                if (g_str_has_prefix(*group, MODULE_GROUP))
                        pending_read_module(pending, file, *group);
                else if (g_str_has_prefix(*group, FILE_GROUP))
                        pending_read_file(pending, file, *group);
        return pending;
}

Pending *pending_read(const Root *root) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read(root, PENDING_PATH, ROOT_FILE_MAX, &text, &size, NULL))
                return pending_parse(NULL);
        return pending_parse(text);
}

void pending_set(Pending *pending, const char *module, const char *parameter, const char *value) {
        GHashTable *values = g_hash_table_lookup(pending->modules, module);

        if (!values) {
                values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
                g_hash_table_insert(pending->modules, g_strdup(module), values);
        }
        g_hash_table_insert(values, g_strdup(parameter), g_strdup(value));
}

bool pending_drop(Pending *pending, const char *module, const char *parameter) {
        if (!module) {
                bool any = !pending_is_empty(pending);
                g_hash_table_remove_all(pending->modules);
                return any;
        }

        GHashTable *values = g_hash_table_lookup(pending->modules, module);
        if (!values)
                return false;
        bool dropped = parameter ? g_hash_table_remove(values, parameter) : true;
        if (!parameter || g_hash_table_size(values) == 0)
                g_hash_table_remove(pending->modules, module);
        return dropped;
}

bool pending_is_empty(const Pending *pending) {
        return g_hash_table_size(pending->modules) == 0;
}

static void pending_render(const Pending *pending, GKeyFile *file) {
        GHashTableIter i, j;
        gpointer name, values, key, value;

        g_hash_table_iter_init(&i, pending->modules);
        while (g_hash_table_iter_next(&i, &name, &values)) {
                g_autofree char *group = g_strconcat(MODULE_GROUP, name, NULL);
                g_hash_table_iter_init(&j, values);
                while (g_hash_table_iter_next(&j, &key, &value))
                        g_key_file_set_string(file, group, key, value);
        }

        g_hash_table_iter_init(&i, pending->before);
        while (g_hash_table_iter_next(&i, &name, &value)) {
                g_autofree char *group = g_strconcat(FILE_GROUP, name, NULL);
                g_key_file_set_boolean(file, group, "existed", value != NULL);
                g_autofree char *escaped = value ? g_strescape(value, NULL) : NULL;
                if (escaped)
                        g_key_file_set_string(file, group, "text", escaped);
        }
}

char *pending_to_text(const Pending *pending) {
        if (pending_is_empty(pending))
                return NULL;

        g_autoptr(GKeyFile) file = g_key_file_new();
        pending_render(pending, file);
        return g_key_file_to_data(file, NULL, NULL);
}

bool pending_write(const Pending *pending, const Root *root, GError **error) {
        g_autofree char *text = pending_to_text(pending);

        return text ? file_write(root, PENDING_PATH, text, error) : file_remove(root, PENDING_PATH, error);
}
