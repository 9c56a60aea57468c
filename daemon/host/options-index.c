/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was read, asked for by module and parameter: each of them is asked for many times, and a
 * file may have thousands of lines. It must not read anything. */

#include <fnmatch.h>

#include "options.h"

/* A key is any Option of the group. */
static guint option_hash(gconstpointer key) {
        const Option *option = key;

        return g_str_hash(option->module) * 31U + g_str_hash(option->name);
}

static gboolean option_is_of_same(gconstpointer a, gconstpointer b) {
        const Option *one = a, *other = b;

        return g_str_equal(one->module, other->module) && g_str_equal(one->name, other->name);
}

static guint value_hash(gconstpointer key) {
        const Option *option = key;

        return g_str_hash(option->value) * 4U + option->bare * 2U + (option->path != NULL);
}

static gboolean value_is_same(gconstpointer a, gconstpointer b) {
        const Option *one = a, *other = b;

        return one->bare == other->bare && !one->path == !other->path && g_str_equal(one->value, other->value);
}

static OptionGroup *group_new(void) {
        OptionGroup *group = g_new(OptionGroup, 1);

        *group = (OptionGroup) {.all = g_ptr_array_new(), .distinct = g_ptr_array_new()};
        return group;
}

static void group_free(OptionGroup *group) {
        g_ptr_array_unref(group->all);
        g_ptr_array_unref(group->distinct);
        g_free(group);
}

static void find_distinct(const OptionGroup *group) {
        g_autoptr(GHashTable) seen = g_hash_table_new(value_hash, value_is_same);

        for (unsigned i = 0; i < group->all->len; i++)
                if (g_hash_table_add(seen, g_ptr_array_index(group->all, i)))
                        g_ptr_array_add(group->distinct, g_ptr_array_index(group->all, i));
}

void options_make_index(Options *options) {
        GHashTableIter iter;
        gpointer group;

        g_clear_pointer(&options->index, g_hash_table_unref);
        options->index = g_hash_table_new_full(option_hash, option_is_of_same, NULL, (GDestroyNotify) group_free);
        for (unsigned i = 0; i < options->options->len; i++) {
                Option *option = g_ptr_array_index(options->options, i);
                OptionGroup *found = g_hash_table_lookup(options->index, option);
                if (!found) {
                        found = group_new();
                        g_hash_table_insert(options->index, option, found);
                }
                g_ptr_array_add(found->all, option);
        }
        g_hash_table_iter_init(&iter, options->index);
        while (g_hash_table_iter_next(&iter, NULL, &group))
                find_distinct(group);
}

const OptionGroup *options_group(const Options *options, const char *module, const char *name) {
        const Option key = {.module = (char *) module, .name = (char *) name};

        return options->index ? g_hash_table_lookup(options->index, &key) : NULL;
}

char *option_source(const Option *option) {
        return option->path ? g_strdup_printf("%s:%u", option->path, option->line) : g_strdup("kernel command line");
}

const Option *options_winner(const Options *options, const char *module, const char *name, GStrv *ret_overridden) {
        g_autoptr(GPtrArray) overridden = g_ptr_array_new_with_free_func(g_free);
        const OptionGroup *group = options_group(options, module, name);
        const unsigned n = group ? group->all->len : 0;

        for (unsigned i = 1; ret_overridden && i < n && i <= OPTIONS_OVERRIDDEN_MAX; i++)
                g_ptr_array_add(overridden, option_source(g_ptr_array_index(group->all, n - 1 - i)));
        if (ret_overridden) {
                g_ptr_array_add(overridden, NULL);
                *ret_overridden = (GStrv) g_ptr_array_free(g_steal_pointer(&overridden), FALSE);
        }
        return n > 0 ? g_ptr_array_index(group->all, n - 1) : NULL;
}

const Command *options_command(const Options *options, const char *verb, const char *module) {
        for (unsigned i = 0; i < options->commands->len; i++) {
                const Command *command = g_ptr_array_index(options->commands, i);

                if (!g_str_equal(command->verb, verb))
                        continue;
                /* libkmod-module.c: patterns, but names for blacklist. */
                if (g_str_has_suffix(verb, "blacklist") ? g_str_equal(command->module, module)
                                                        : fnmatch(command->module, module, 0) == 0)
                        return command;
        }
        return NULL;
}
