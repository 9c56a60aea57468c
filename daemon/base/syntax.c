/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cuts the text of a modprobe.d file into lines, words and parameters. It must not read files, and
 * must not judge what it finds. */

#include <string.h>

#include "syntax.h"

char *syntax_next_line(SyntaxCursor *cursor) {
        g_autoptr(GString) line = g_string_new(NULL);

        if (cursor->at >= cursor->end)
                return NULL;
        cursor->line = ++cursor->next_line;
        cursor->open = true;
        while (cursor->at < cursor->end) {
                char c = *cursor->at++;

                if (c == '\n') {
                        cursor->open = false;
                        break;
                }
                if (c == '\\') {
                        if (cursor->at >= cursor->end) {
                                cursor->cut = true;
                                break;
                        }
                        c = *cursor->at++;
                        if (c == '\n') {
                                cursor->next_line++;
                                continue;
                        }
                }
                g_string_append_c(line, c);
        }
        return g_string_free(g_steal_pointer(&line), FALSE);
}

char *syntax_take_word(char **rest) {
        char *word = *rest + strspn(*rest, "\t ");

        *rest = word + strcspn(word, "\t ");
        if (*word == 0)
                return NULL;
        if (**rest)
                *(*rest)++ = 0;
        return word;
}

/* Space as the kernel has it (lib/ctype.c), where the no-break space of Latin-1 is one. */
static bool is_space(char c) {
        return strchr(SYNTAX_SPACES, c) && c;
}

char *syntax_take_parameter(char **rest, char **ret_value) {
        char *name = *rest, *value = NULL, *end;
        bool quoted, in_quotes;

        while (is_space(*name))
                name++;
        in_quotes = quoted = *name == '"';
        if (quoted)
                name++;
        for (end = name; *end && (in_quotes || !is_space(*end)); end++) {
                if (*end == '"')
                        in_quotes = !in_quotes;
                if (*end == '=' && !value && end > name)
                        value = end + 1;
        }
        *rest = *end ? end + 1 : end;
        *end = 0;
        if (value) {
                value[-1] = 0;
                if (*value == '"') {
                        value++;
                        if (end[-1] == '"')
                                end[-1] = 0;
                }
        }
        if (quoted && end > name && end[-1] == '"')
                end[-1] = 0;
        *ret_value = value;
        return (*name || value || quoted) && (value || !g_str_equal(name, "--")) ? name : NULL;
}

bool syntax_underscores(char *name) {
        for (; *name; name++) {
                if (*name == '-')
                        *name = '_';
                else if (*name == ']')
                        return false;
                else if (*name == '[') {
                        name = strchr(name, ']');
                        if (!name)
                                return false;
                }
        }
        return true;
}
