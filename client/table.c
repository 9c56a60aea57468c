/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Widths of columns. It must not know what is in them. */

#include "table.h"

/* Of a column. */
#define WIDTH_MAX 64U

typedef struct Row {
        Style style; /* of the first column */
        GStrv cells;
        char *note;
} Row;

struct Table {
        const char *const *headings;
        unsigned n_columns;
        GPtrArray *rows; /* Row* */
};

static void row_free(Row *row) {
        g_strfreev(row->cells);
        g_free(row->note);
        g_free(row);
}

Table *table_new(const char *const *headings) {
        Table *table = g_new(Table, 1);

        *table = (Table) {
                        .headings = headings,
                        .n_columns = g_strv_length((GStrv) headings),
                        .rows = g_ptr_array_new_with_free_func((GDestroyNotify) row_free),
        };
        return table;
}

void table_free(Table *table) {
        if (!table)
                return;
        g_ptr_array_unref(table->rows);
        g_free(table);
}

/* A name as long as a page leaves no column where it is: its beginning has to do. Takes @cell
 * over. */
static char *cut(char *cell) {
        g_autofree char *whole = cell;
        const char *end = whole, *last = whole;
        unsigned width = 0;

        if (output_width(whole) <= WIDTH_MAX)
                return g_steal_pointer(&whole);
        while (width < WIDTH_MAX) {
                last = end;
                end = g_utf8_next_char(end);
                width += output_char_width(g_utf8_get_char(last));
        }
        return g_strdup_printf("%.*s…", (int) (last - whole), whole);
}

void table_add(Table *table, Style style, const char *const *cells, const char *note) {
        Row *row = g_new(Row, 1);

        *row = (Row) {.style = style, .cells = g_new0(char *, table->n_columns + 1), .note = g_strdup(note)};
        for (unsigned i = 0; i < table->n_columns; i++)
                row->cells[i] = cut(output_escape(cells[i] && *cells[i] ? cells[i] : "-"));
        g_ptr_array_add(table->rows, row);
}

bool table_is_empty(const Table *table) {
        return table->rows->len == 0;
}

static unsigned column_width(const Table *table, unsigned column) {
        unsigned width = output_width(table->headings[column]);

        for (unsigned i = 0; i < table->rows->len; i++) {
                const Row *row = g_ptr_array_index(table->rows, i);
                width = MAX(width, output_width(row->cells[column]));
        }
        return width;
}

/* The last column is not padded: no blanks at the ends of lines. */
static void print_cell(const Table *table, Output *output, const unsigned *widths, unsigned column, Style style,
                       const char *text) {
        output_text(output, style, text);
        if (column + 1 < table->n_columns)
                output_pad(output, widths[column] - output_width(text) + 2);
        else
                output_newline(output);
}

void table_print(const Table *table, Output *output) {
        g_autofree unsigned *widths = g_new(unsigned, table->n_columns);

        if (table_is_empty(table))
                return;
        for (unsigned i = 0; i < table->n_columns; i++)
                widths[i] = column_width(table, i);
        for (unsigned i = 0; i < table->n_columns; i++)
                print_cell(table, output, widths, i, STYLE_DIM, table->headings[i]);
        for (unsigned j = 0; j < table->rows->len; j++) {
                const Row *row = g_ptr_array_index(table->rows, j);
                for (unsigned i = 0; i < table->n_columns; i++)
                        print_cell(table, output, widths, i, i == 0 ? row->style : STYLE_PLAIN, row->cells[i]);
                if (row->note && *row->note) {
                        output_pad(output, 2);
                        output_text(output, STYLE_PLAIN, row->note);
                        output_newline(output);
                }
        }
}
