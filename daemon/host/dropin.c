/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our own modprobe.d file in memory: the parameters it sets, and whatever else somebody wrote into
 * it, kept word for word. It must not write a file, and must not judge a value. */

#include <string.h>

#include "dropin.h"
#include "sort.h"
#include "syntax.h"

#define HEADER_FIRST "# Written by nestvirtd: what was set with nestvirtctl or over D-Bus."
#define HEADER_SECOND "# \"nestvirtctl reset\" takes it all back and removes this file."

struct Dropin {
        char *text;          /* as parsed */
        bool changed;        /* it is no longer what the tables say */
        bool tidy;           /* it goes when only comments are left */
        GString *others;     /* lines that are neither options nor our header */
        GHashTable *modules; /* name -> (parameter -> value, NULL when it has none) */
};

static GHashTable *table_of(Dropin *dropin, const char *module) {
        GHashTable *table = g_hash_table_lookup(dropin->modules, module);

        if (!table) {
                table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
                g_hash_table_insert(dropin->modules, g_strdup(module), table);
        }
        return table;
}

/* The kernel gets the lines of a module joined by spaces: adds one to @joined (module ->
 * GString). */
static bool parse_options(GHashTable *joined, char *line) {
        char *rest = line, *verb = syntax_take_word(&rest), *module = verb ? syntax_take_word(&rest) : NULL;

        if (!module || !g_str_equal(verb, "options") || !syntax_underscores(module) || !*rest)
                return false;
        GString *text = g_hash_table_lookup(joined, module);
        if (!text) {
                text = g_string_new(NULL);
                g_hash_table_insert(joined, g_strdup(module), text);
        }
        g_string_append_printf(text, " %s", g_strdelimit(rest, "\t", ' '));
        return true;
}

/* What no parameter can be called is not kept: a quote in a name would reach over what comes after
 * it. */
static void split_options(Dropin *dropin, GHashTable *joined) {
        GHashTableIter iter;
        gpointer module, text;

        g_hash_table_iter_init(&iter, joined);
        while (g_hash_table_iter_next(&iter, &module, &text)) {
                char *rest = ((GString *) text)->str, *name, *value;
                while ((name = syntax_take_parameter(&rest, &value)))
                        if (*name && !strpbrk(name, SYNTAX_SPACES "\""))
                                g_hash_table_insert(table_of(dropin, module), g_strdelimit(g_strdup(name), "-", '_'),
                                                    g_strdup(value));
        }
}

static void string_free(gpointer text) {
        (void) g_string_free(text, TRUE);
}

static void keep_line(Dropin *dropin, const char *begin, const SyntaxCursor *cursor) {
        const size_t size = (size_t) (cursor->at - begin);

        if (g_str_has_prefix(begin, HEADER_FIRST "\n") || g_str_has_prefix(begin, HEADER_SECOND "\n"))
                return;
        g_string_append_len(dropin->others, begin, (gssize) size);
        /* A last line without an end gets one, and one more when a backslash would join it to
         * ours. */
        if (cursor->open)
                g_string_append(dropin->others, cursor->cut ? "\n\n" : "\n");
}

Dropin *dropin_parse(const char *text) {
        Dropin *dropin = g_new0(Dropin, 1);
        SyntaxCursor cursor = {.at = text, .end = text + strlen(text)};
        g_autoptr(GHashTable) joined = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, string_free);

        dropin->text = g_strdup(text);
        dropin->others = g_string_new(NULL);
        dropin->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
        for (;;) {
                const char *begin = cursor.at;
                g_autofree char *line = syntax_next_line(&cursor);

                if (!line)
                        break;
                if (!parse_options(joined, line))
                        keep_line(dropin, begin, &cursor);
        }
        split_options(dropin, joined);
        return dropin;
}

Dropin *dropin_read(const Root *root, const char *path, GError **error) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read_any(root, path, ROOT_FILE_MAX, &text, &size, error))
                return NULL;
        if (!text)
                return dropin_parse("");
        /* A NUL ends its line for modprobe; here it must not end the file. */
        for (size_t i = 0; i < size; i++)
                if (text[i] == 0)
                        text[i] = '\n';
        return dropin_parse(text);
}

void dropin_free(Dropin *dropin) {
        if (!dropin)
                return;
        g_free(dropin->text);
        g_string_free(dropin->others, TRUE);
        g_hash_table_unref(dropin->modules);
        g_free(dropin);
}

static bool lookup(const Dropin *dropin, const char *module, const char *parameter, const char **ret_value) {
        GHashTable *table = g_hash_table_lookup(dropin->modules, module);
        gpointer value = NULL;

        if (!table || !g_hash_table_lookup_extended(table, parameter, NULL, &value))
                return false;
        *ret_value = value;
        return true;
}

const char *dropin_get(const Dropin *dropin, const char *module, const char *parameter) {
        const char *value;

        return lookup(dropin, module, parameter, &value) ? value ?: "" : NULL;
}

void dropin_set(Dropin *dropin, const char *module, const char *parameter, const char *value) {
        const char *now;

        if (lookup(dropin, module, parameter, &now) && g_strcmp0(now, value) == 0)
                return;
        g_hash_table_insert(table_of(dropin, module), g_strdup(parameter), g_strdup(value));
        dropin->changed = true;
}

bool dropin_unset(Dropin *dropin, const char *module, const char *parameter) {
        GHashTable *table = g_hash_table_lookup(dropin->modules, module);

        if (!table || !g_hash_table_remove(table, parameter))
                return false;
        dropin->changed = true;
        return true;
}

bool dropin_copy(Dropin *to, const Dropin *from, const char *module, const char *parameter) {
        const char *wanted, *now;

        if (!lookup(from, module, parameter, &wanted))
                return dropin_unset(to, module, parameter);
        if (lookup(to, module, parameter, &now) && g_strcmp0(now, wanted) == 0)
                return false;
        dropin_set(to, module, parameter, wanted);
        return true;
}

static bool is_same(const Dropin *a, const Dropin *b, const char *module, const char *name) {
        const char *one = NULL, *other = NULL;

        return lookup(a, module, name, &one) == lookup(b, module, name, &other) && g_strcmp0(one, other) == 0;
}

void dropin_copy_changes(Dropin *to, const Dropin *then, const Dropin *now) {
        const Dropin *const both[] = {then, now};

        for (unsigned i = 0; i < G_N_ELEMENTS(both); i++) {
                g_auto(GStrv) modules = dropin_modules(both[i]);
                for (char **module = modules; *module; module++) {
                        g_auto(GStrv) names = dropin_names(both[i], *module);
                        for (char **name = names; *name; name++)
                                if (!is_same(then, now, *module, *name))
                                        (void) dropin_copy(to, now, *module, *name);
                }
        }
}

/* All that @a sets, @b sets to the same. */
static bool includes(const Dropin *b, const Dropin *a) {
        GHashTableIter i, j;
        gpointer module, table, name, value;
        const char *other;

        g_hash_table_iter_init(&i, a->modules);
        while (g_hash_table_iter_next(&i, &module, &table)) {
                g_hash_table_iter_init(&j, table);
                while (g_hash_table_iter_next(&j, &name, &value))
                        if (!lookup(b, module, name, &other) || g_strcmp0(other, value) != 0)
                                return false;
        }
        return true;
}

bool dropin_same(const Dropin *a, const Dropin *b) {
        return g_string_equal(a->others, b->others) && includes(a, b) && includes(b, a);
}

GStrv dropin_names(const Dropin *dropin, const char *module) {
        GHashTable *table = g_hash_table_lookup(dropin->modules, module);

        return table ? sorted_keys_copy(table) : g_new0(char *, 1);
}

/* So that libkmod reads it back. */
static void append_word(GString *text, const char *word) {
        for (; *word; word++) {
                if (*word == '\\')
                        g_string_append_c(text, '\\');
                g_string_append_c(text, *word);
        }
}

/* So that then the kernel reads it back. There is no way to say a quote inside quotes. */
static void append_value(GString *text, const char *value) {
        const bool quote = strpbrk(value, SYNTAX_SPACES) != NULL;
        g_auto(GStrv) parts = g_strsplit(value, "\"", -1);

        if (quote)
                g_string_append_c(text, '"');
        for (char **part = parts; *part; part++)
                append_word(text, *part);
        if (quote)
                g_string_append_c(text, '"');
}

static void append_module(GString *text, const Dropin *dropin, const char *module) {
        g_auto(GStrv) names = dropin_names(dropin, module);

        if (!*names)
                return;
        g_string_append(text, "options ");
        append_word(text, module);
        for (char **name = names; *name; name++) {
                const char *value = NULL;

                g_string_append_c(text, ' ');
                append_word(text, *name);
                if (!lookup(dropin, module, *name, &value) || !value)
                        continue;
                g_string_append_c(text, '=');
                append_value(text, value);
        }
        g_string_append_c(text, '\n');
}

static bool is_blank(const char *text) {
        return text[strspn(text, " \t\r\n")] == 0;
}

static bool is_comment(const char *text) {
        SyntaxCursor cursor = {.at = text, .end = text + strlen(text)};

        for (;;) {
                g_autofree char *line = syntax_next_line(&cursor);
                if (!line)
                        return true;
                if (line[strspn(line, " \t\r")] != '#' && !is_blank(line))
                        return false;
        }
}

void dropin_tidy(Dropin *dropin) {
        dropin->tidy = true;
}

bool dropin_is_ours(const char *path, bool runtime) {
        return path && (g_str_equal(path + 1, DROPIN_RUNTIME_PATH) || (!runtime && g_str_equal(path + 1, DROPIN_PATH)));
}

GStrv dropin_modules(const Dropin *dropin) {
        return sorted_keys_copy(dropin->modules);
}

char *dropin_render(const Dropin *dropin) {
        g_autoptr(GString) options = g_string_new(NULL);
        g_auto(GStrv) modules = sorted_keys_copy(dropin->modules);

        for (char **module = modules; *module; module++)
                append_module(options, dropin, *module);
        if (options->len == 0 && (is_blank(dropin->others->str) || (dropin->tidy && is_comment(dropin->others->str))))
                return NULL;
        if (!dropin->changed)
                return g_strdup(dropin->text);
        return g_strconcat(HEADER_FIRST "\n" HEADER_SECOND "\n", dropin->others->str, options->str, NULL);
}
