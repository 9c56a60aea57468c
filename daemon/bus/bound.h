/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How large what we say may become, whatever others call their guests and processes, and however
 * many they have of them: the bus ends the connection of whoever sends more than 32 MiB in a
 * message. What is left out is counted and said. */

#include <glib.h>
#include <stdbool.h>

#include "bound-text.h"

/* Bytes of the entries of one array of dictionaries or of rows, and of one array of texts. */
#define BOUND_ROWS ((gsize) 8 * 1024 * 1024)
#define BOUND_TEXTS ((gsize) 1024 * 1024)
/* The name of the last entry where entries have names: no UUID and no PID-FD. */
#define BOUND_OTHERS "others"

/* The bytes that @value takes in a message, as one of several in an array of such. */
gsize bound_size(GVariant *value);

/* An array that is filled for as long as there is room; all zero at the beginning. */
typedef struct BoundRows {
        gsize size;
        guint32 omitted; /* for which there was none */
} BoundRows;

/* True when an entry of @size more bytes is to be in an array of at most @max: after the first that
 * is not, none is. */
bool bound_rows_take(BoundRows *rows, gsize size, gsize max);

/* {"Omitted": @count}, floating. */
GVariant *bound_omitted(guint32 count);

/* A new reference, to @value itself when it is within its bounds, which is sunk when it is
 * floating. Texts are cut; of aa{sv} the entries that are too many are counted in a last one,
 * {"Omitted": u}, of a{sa{sv}} in one named BOUND_OTHERS, and of as in a last text. An entry
 * {"Omitted": u} that is there already is counted in. */
GVariant *bound_reply(GVariant *value);
