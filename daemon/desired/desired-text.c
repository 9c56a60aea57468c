/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Goes through a text line by line as GKeyFile does (glib/gkeyfile.c, 2.74 to 2.90,
 * g_key_file_parse_line()), and gives no meaning to what it finds. */

#include <string.h>

#include "desired-text.h"
#include "error.h"

typedef struct Scan {
        const char *file;
        GHashTable *lines; /* section, or section and key -> line */
        char *section;     /* NULL: none has begun */
        unsigned line;
} Scan;

static char *key_of(const char *section, const char *name) {
        return name ? g_strdup_printf("%s\n%s", section, name) : g_strdup(section);
}

static bool fail(const Scan *scan, const char *line, const char *why, GError **error) {
        g_autofree char *quoted = error_quote(line);

        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s:%u: \"%s\" %s", scan->file, scan->line, quoted, why);
        return false;
}

static bool fail_twice(const Scan *scan, const char *what, const char *word, unsigned before, GError **error) {
        g_autofree char *quoted = error_quote(word);

        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                    "%s:%u: The %s \"%s\" is given a second time, after line %u", scan->file, scan->line, what, quoted,
                    before);
        return false;
}

static bool note(Scan *scan, const char *name, GError **error) {
        g_autofree char *key = key_of(scan->section, name);
        gconstpointer before = g_hash_table_lookup(scan->lines, key);

        if (before)
                return fail_twice(scan, name ? "key" : "section", name ?: scan->section, GPOINTER_TO_UINT(before),
                                  error);
        (void) g_hash_table_insert(scan->lines, g_steal_pointer(&key), GUINT_TO_POINTER(scan->line));
        return true;
}

/* @line: without the blanks around it. */
static bool scan_line(Scan *scan, const char *line, GError **error) {
        const size_t length = strlen(line);
        const char *equals = strchr(line, '=');

        if (length == 0 || line[0] == '#')
                return true;
        if (line[0] == '[') {
                if (length < 3 || line[length - 1] != ']')
                        return fail(scan, line, "is no [SECTION]", error);
                g_free(scan->section);
                scan->section = g_strndup(line + 1, length - 2);
                return note(scan, NULL, error);
        }
        if (!equals || equals == line)
                return fail(scan, line, "is no KEY=VALUE, no [SECTION] and no # comment", error);
        if (!scan->section)
                return fail(scan, line, "stands before the first [SECTION]", error);
        g_autofree char *name = g_strchomp(g_strndup(line, (gsize) (equals - line)));
        return note(scan, name, error);
}

GHashTable *desired_lines(const char *file, const char *text, GError **error) {
        g_autoptr(GHashTable) lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        Scan scan = {.file = file, .lines = lines};
        bool good = true;

        for (const char *at = text; good && *at;) {
                const size_t length = strcspn(at, "\n");
                g_autofree char *line = g_strstrip(g_strndup(at, length));
                scan.line++;
                good = scan_line(&scan, line, error);
                at += length + (at[length] == '\n');
        }
        g_free(scan.section);
        return good ? g_steal_pointer(&lines) : NULL;
}

unsigned desired_line(GHashTable *lines, const char *section, const char *name) {
        g_autofree char *key = key_of(section, name);

        gconstpointer line = g_hash_table_lookup(lines, key);

        return GPOINTER_TO_UINT(line);
}
