/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The difference of two texts, for people, as diff -u prints it. */

#include <glib.h>

/* Together; more than two guests' definitions have. */
#define DIFF_MAX ((gsize) 8 * 1024 * 1024)

/* "" when they are the same; else lines with three of context, below "--- @name" and "+++ @name".
 * Loads a library at the first call; may be called by one thread at a time. NULL: there is none to
 * show, and @error says why, with the package when libgit2 is missing; nothing may fail of that. */
char *diff_unified(const char *before, const char *after, const char *name, GError **error);
