/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where in the text of a key file its sections and keys are: GKeyFile reads them, and tells no
 * lines. */

#include <glib.h>
#include <stdbool.h>

/* The place of every section ("Guests") and of every key ("Guests\nNested") of @text; a line of it
 * (GPOINTER_TO_UINT). NULL and InvalidArgs with @file and the line for what is neither of them nor
 * a comment, for a key outside of any section, and for what is given twice: GKeyFile would take the
 * last one, and two that differ are a mistake. */
GHashTable *desired_lines(const char *file, const char *text, GError **error);
unsigned desired_line(GHashTable *lines, const char *section, const char *name);
