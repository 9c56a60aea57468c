/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long a text that we say may be, whatever others call their guests and processes. */

#include <glib.h>

/* Bytes of a text, the "…" of one that was cut among them: of a name and of whatever is not a
 * sentence, of a sentence (Message, Reason, Fix, Steps, Advice), of a Diff. */
#define BOUND_NAME ((gsize) 256)
#define BOUND_TEXT ((gsize) 4096)
#define BOUND_DIFF ((gsize) 1024 * 1024)
/* What stands in the place of what was cut. */
#define BOUND_ELLIPSIS "…"

/* Of the texts of an entry with that key. */
gsize bound_text_max(const char *key);
/* @text (valid UTF-8) cut at a character to at most @max bytes, with "…" at the end then. */
char *bound_text(const char *text, gsize max);
