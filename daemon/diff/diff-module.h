/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What diff.c and its module agree on. */

#include <glib.h>
#include <stdbool.h>

#define DIFF_MODULE "nestvirt-diff.so"
#define DIFF_MODULE_HUNKS "diff_module_hunks"

/* Appends the hunks of a unified diff to @out; false when the library failed. */
typedef bool (*DiffModuleHunks)(const char *before, gsize old_length, const char *after, gsize new_length,
                                GString *out);

bool diff_module_hunks(const char *before, gsize old_length, const char *after, gsize new_length, GString *out);
