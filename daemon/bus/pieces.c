/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue of half answers. What is in them it does not know. */

#include "pieces.h"
#include "later.h"

typedef struct Half {
        PieceNext next;
        GDestroyNotify drop;
        gpointer data;
} Half;

struct Pieces {
        Later *later;
        GQueue waiting; /* Half* */
};

/* One piece of the first, which is the last then. */
static void on_later(gpointer userdata) {
        Pieces *pieces = userdata;
        Half *half = g_queue_pop_head(&pieces->waiting);

        if (half && half->next(half->data))
                g_free(half);
        else if (half)
                g_queue_push_tail(&pieces->waiting, half);
        if (!g_queue_is_empty(&pieces->waiting))
                later_ask(pieces->later);
}

Pieces *pieces_new(sd_event *event) {
        Pieces *pieces = g_new(Pieces, 1);

        *pieces = (Pieces) {};
        pieces->later = later_new(event, on_later, pieces);
        if (!pieces->later)
                g_clear_pointer(&pieces, g_free);
        return pieces;
}

void pieces_free(Pieces *pieces) {
        Half *half;

        if (!pieces)
                return;
        while ((half = g_queue_pop_head(&pieces->waiting))) {
                half->drop(half->data);
                g_free(half);
        }
        later_free(pieces->later);
        g_free(pieces);
}

void pieces_add(Pieces *pieces, PieceNext next, GDestroyNotify drop, gpointer data) {
        if (next(data))
                return;

        Half *half = g_new(Half, 1);
        *half = (Half) {.next = next, .drop = drop, .data = data};
        g_queue_push_tail(&pieces->waiting, half);
        later_ask(pieces->later);
}
