/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Long answers, which are made in pieces, in turns: others are answered in between, however much
 * there is to say. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct Pieces Pieces;

/* The next piece, of a few milliseconds. True: that was the last one, and the data is gone. */
typedef bool (*PieceNext)(gpointer data);

/* NULL when there is no memory for it. */
Pieces *pieces_new(sd_event *event);
/* What is not at its end yet is dropped. */
void pieces_free(Pieces *pieces);
/* The first piece is made at once; @drop gets @data when it does not come to the last one. */
void pieces_add(Pieces *pieces, PieceNext next, GDestroyNotify drop, gpointer data);
