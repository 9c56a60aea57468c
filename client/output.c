/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The buffer, its colours, and the way to the terminal. It must not know what is printed. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output.h"
#include "pager.h"

struct Output {
        GString *text;
        bool colours;
};

Output *output_new(bool colours) {
        Output *output = g_new(Output, 1);

        *output = (Output) {.text = g_string_new(NULL), .colours = colours};
        return output;
}

void output_free(Output *output) {
        if (!output)
                return;
        g_string_free(output->text, TRUE);
        g_free(output);
}

bool output_is_terminal(void) {
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && term && !g_str_equal(term, "dumb");
}

bool output_wants_colours(void) {
        const char *none = getenv("NO_COLOR");

        return output_is_terminal() && !(none && *none);
}

/* Where something begins that is not just a letter that takes one column. */
static const char *plain_end(const char *text) {
        while (*text >= ' ' && *text <= '~')
                text++;
        return text;
}

static bool is_plain(const char *text) {
        return !*plain_end(text);
}

/* Control characters, those that turn the direction of what follows, and the ends of lines and of
 * paragraphs that are no newline (U+2028, U+2029). */
bool output_is_unsafe(gunichar c) {
        switch (g_unichar_type(c)) {
        case G_UNICODE_CONTROL:
        case G_UNICODE_FORMAT:
        case G_UNICODE_LINE_SEPARATOR:
        case G_UNICODE_PARAGRAPH_SEPARATOR:
                return true;
        default:
                return false;
        }
}

char *output_escape(const char *text) {
        if (is_plain(text)) /* as nearly everything is, in the longest lists */
                return g_strdup(text);
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        GString *escaped = g_string_sized_new(strlen(valid));

        for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
                const gunichar c = g_utf8_get_char(p);
                if (output_is_unsafe(c))
                        g_string_append_printf(escaped, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
                else
                        g_string_append_unichar(escaped, c);
        }
        return g_string_free(escaped, FALSE);
}

static void append_escaped(GString *to, const char *text) {
        g_autofree char *escaped = is_plain(text) ? NULL : output_escape(text);

        g_string_append(to, escaped ?: text);
}

unsigned output_char_width(gunichar c) {
        return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

unsigned output_width(const char *text) {
        const char *end = plain_end(text);
        unsigned width = (unsigned) (end - text);

        for (const char *p = end; *p; p = g_utf8_next_char(p))
                width += output_char_width(g_utf8_get_char(p));
        return width;
}

void output_text(Output *output, Style style, const char *text) {
        static const char *const codes[] = {
                        [STYLE_PLAIN] = "",        [STYLE_BOLD] = "\033[1m",  [STYLE_DIM] = "\033[2m",
                        [STYLE_GOOD] = "\033[32m", [STYLE_WARN] = "\033[33m", [STYLE_BAD] = "\033[31m",
        };
        const bool coloured = output->colours && style != STYLE_PLAIN && *text;

        if (coloured)
                g_string_append(output->text, codes[style]);
        append_escaped(output->text, text);
        if (coloured)
                g_string_append(output->text, "\033[0m");
}

void output_printf(Output *output, Style style, const char *format, ...) {
        g_autofree char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = g_strdup_vprintf(format, ap);
        va_end(ap);
        output_text(output, style, text);
}

void output_pad(Output *output, unsigned columns) {
        for (unsigned i = 0; i < columns; i++)
                g_string_append_c(output->text, ' ');
}

void output_newline(Output *output) {
        g_string_append_c(output->text, '\n');
}

void output_field(Output *output, unsigned column, const char *label, Style style, const char *text) {
        const unsigned width = output_width(label);

        if (!text || !*text)
                return;
        output_pad(output, column > width ? column - width : 0);
        output_text(output, STYLE_DIM, label);
        output_text(output, STYLE_DIM, ": ");
        output_text(output, style, text);
        output_newline(output);
}

void output_raw(Output *output, const char *text) {
        g_string_append(output->text, text);
}

/* Screen lines of a line on a terminal that is @columns wide; colour sequences take no room. */
static unsigned count_line(const char *line, const char *end, unsigned columns) {
        unsigned width = 0;

        for (const char *p = line; p < end; p = g_utf8_next_char(p))
                if (*p == '\033')
                        p = strchrnul(p, 'm');
                else
                        width += g_unichar_iswide(g_utf8_get_char(p)) ? 2 : 1;
        return MAX(1, (width + columns - 1) / columns);
}

static unsigned count_lines(const char *text, unsigned columns) {
        unsigned lines = 0;

        while (*text) {
                const char *end = strchrnul(text, '\n');
                lines += count_line(text, end, columns);
                text = *end ? end + 1 : end;
        }
        return lines;
}

static bool fits_screen(const char *text) {
        struct winsize size = {};

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                return true;
        return count_lines(text, size.ws_col) < size.ws_row; /* the prompt takes a line */
}

void output_discard(Output *output) {
        g_string_truncate(output->text, 0);
}

bool output_flush(Output *output, bool pager) {
        GString *text = output->text;
        bool good = true;

        if (text->len > 0 && !(pager && isatty(STDOUT_FILENO) && !fits_screen(text->str) && pager_show(text->str)))
                good = fwrite(text->str, 1, text->len, stdout) == text->len;
        output_discard(output);
        return fflush(stdout) == 0 && good;
}

/* What fits above the last line, where the cursor stays. */
static size_t fitting(const char *text) {
        const char *end = text;
        struct winsize size = {};
        unsigned lines = 1;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0)
                return strlen(text);
        while (*end) {
                const char *next = strchrnul(end, '\n');
                lines += count_line(end, next, size.ws_col);
                if (lines > size.ws_row)
                        break;
                end = *next ? next + 1 : next;
        }
        return (size_t) (end - text);
}

bool output_refresh(Output *output) {
        g_string_truncate(output->text, fitting(output->text->str));
        /* Home, and clear from there. */
        g_string_prepend(output->text, "\033[H\033[J");
        return output_flush(output, false);
}

void output_document(Output *out, const char *text) {
        g_auto(GStrv) lines = NULL;

        if (!isatty(STDOUT_FILENO)) {
                output_raw(out, text);
                return;
        }
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line && (line[1] || **line); line++) {
                output_text(out, STYLE_PLAIN, *line);
                output_newline(out);
        }
}
