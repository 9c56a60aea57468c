/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What waits for idle: a key file beneath run/nestvirt, gone with the boot. It holds the values
 * that wait, and the texts of our files from before, to be put back when the load fails: of the
 * parameters that wait they tell what was configured before each was asked for. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

#define PENDING_PATH "run/nestvirt/pending"

typedef struct Pending {
        GHashTable *modules; /* module -> (parameter -> value, normalised) */
        GHashTable *before;  /* path -> text, or NULL when there was no file */
} Pending;

Pending *pending_read(const Root *root); /* empty when there is none or it can't be understood */
/* The same from the text of the file, which may be NULL. */
Pending *pending_parse(const char *text);
/* NULL when nothing waits: the file should go. */
char *pending_to_text(const Pending *pending);
void pending_free(Pending *pending);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pending, pending_free)

void pending_set(Pending *pending, const char *module, const char *parameter, const char *value);
/* Forgets one parameter, or (NULL) all of @module, or (both NULL) everything. True when something
 * was forgotten. */
bool pending_drop(Pending *pending, const char *module, const char *parameter);
bool pending_is_empty(const Pending *pending);
/* Writes the file, or removes it when empty. */
bool pending_write(const Pending *pending, const Root *root, GError **error);
