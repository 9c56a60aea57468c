/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Aligned columns under headings; a row may have a note, on a line of its own below it. */

#include "output.h"

typedef struct Table Table;

/* @headings is static, NULL-terminated. */
Table *table_new(const char *const *headings);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* As many cells as there are headings; NULL and "" show as "-", and what is wider than 64 columns
 * is cut. @note may be NULL or "". All are copied. */
void table_add(Table *table, Style style, const char *const *cells, const char *note);
bool table_is_empty(const Table *table);
/* Nothing at all when there are no rows. */
void table_print(const Table *table, Output *output);
