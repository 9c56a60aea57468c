/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the window says, of what the daemon tells. */

#include <glib/gi18n.h>
#include <nestvirt-glib.h>

/* A sentence: what a guest that is started now can do, or why not. */
const char *words_status(NestvirtManager *manager);
/* Of a guest, by its properties of these names. */
char *words_guest(gboolean active, const char *next, const char *now, const char *using, gboolean restart);
/* Of a parameter that is to be that. */
char *words_setting(const char *name, const char *value);
/* Of a change that went well, by its Outcome. */
const char *words_outcome(const char *outcome);
/* Of one that did not; frees @error. NULL: it did. */
char *words_error(GError *error);
