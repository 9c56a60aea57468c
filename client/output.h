/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text for people, kept until it is whole: then it goes to standard output, or through a pager when
 * that is a terminal and the text is longer than its screen. Nothing that was read from elsewhere
 * can reach the terminal as a control sequence. */

#include <glib.h>
#include <stdbool.h>

typedef enum Style {
        STYLE_PLAIN,
        STYLE_BOLD,
        STYLE_DIM,
        STYLE_GOOD,
        STYLE_WARN,
        STYLE_BAD,
} Style;

typedef struct Output Output;

/* @colours: as output_wants_colours() says, unless the text is for programs. */
Output *output_new(bool colours);
void output_free(Output *output);
/* Standard output is a terminal, and neither NO_COLOR nor a dumb terminal speaks against
 * colours. */
bool output_wants_colours(void);
/* Standard output is a terminal on which the cursor can be moved. */
bool output_is_terminal(void);

/* Appends with the control characters escaped; lines are ended by output_newline() alone. */
void output_text(Output *output, Style style, const char *text);
void output_printf(Output *output, Style style, const char *format, ...) G_GNUC_PRINTF(3, 4);
void output_pad(Output *output, unsigned columns);
void output_newline(Output *output);
/* "  Label: text", the labels' ends @column columns from the left; nothing when @text is empty. */
void output_field(Output *output, unsigned column, const char *label, Style style, const char *text);
/* Appends as it is: JSON, whose control characters are escaped in its own way (json.c). */
void output_raw(Output *output, const char *text);
/* As it is for a program; on a terminal without what would be a control sequence. */
void output_document(Output *output, const char *text);

/* Forgets what there is. */
void output_discard(Output *output);
/* Writes what there is and forgets it; false when standard output could not take it. */
bool output_flush(Output *output, bool pager);
/* The same, in the place of all that is on the terminal, as much as there is room for. */
bool output_refresh(Output *output);

/* It does not reach a terminal as it is. */
bool output_is_unsafe(gunichar c);
/* @text with control characters escaped, and nothing that is no UTF-8. */
char *output_escape(const char *text);
/* The columns that these take on a terminal. */
unsigned output_char_width(gunichar c);
unsigned output_width(const char *text);
