/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A text that is told in a file, or on standard input. */

#include <glib.h>
#include <stdbool.h>

/* Appends at most @max bytes of it. @file NULL or "-": standard input. False with a condition when
 * it can't be read, or is not text. */
bool input_read(const char *file, gsize max, GString *text, GError **error);
