/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How modprobe.d files are written: logical lines and words as libkmod tells them apart
 * (shared/util.c, libkmod-config.c, kmod 30 to 34), and a module's parameters as the kernel does
 * (lib/cmdline.c, kernel/params.c). Nothing here knows what the words mean. */

#include <glib.h>
#include <stdbool.h>

/* What parts the parameters of a module, as the kernel has it (lib/ctype.c). */
#define SYNTAX_SPACES " \t\n\v\f\r\xa0"

/* A cursor over the logical lines of a text. */
typedef struct SyntaxCursor {
        const char *at, *end;
        unsigned next_line;
        unsigned line; /* of the logical line last read, its first physical one, from 1 */
        bool cut;      /* the text ends in a backslash that nothing follows */
        bool open;     /* the line last read has no end: what is appended to the text is part of it */
} SyntaxCursor;

/* The next logical line: continued where a backslash ends a line, other backslashes taken out. NULL
 * at the end. */
char *syntax_next_line(SyntaxCursor *cursor);
/* Cuts the next word, ended by spaces or tabs, off the front of @rest. NULL when there is none. */
char *syntax_take_word(char **rest);
/* Cuts the next parameter of a module off the front of @rest as the kernel does; its quotes go.
 * *@ret_value is NULL when it is bare. NULL at the end, and at "--", where the kernel stops
 * reading. */
char *syntax_take_parameter(char **rest, char **ret_value);
/* Turns dashes into underscores, but not between [ and ]. False when the brackets are wrong:
 * libkmod refuses such a name. */
bool syntax_underscores(char *name);
