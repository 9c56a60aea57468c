/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue and a flag. It must not be entered by itself: a turn that begins while another one is being handed out waits in the queue. */

#include "turns.h"

typedef struct Turn {
        TurnBegin begin;
        GDestroyNotify drop;
        gpointer data;
} Turn;

struct Turns {
        GQueue waiting; /* Turn* */
        bool taken;
        bool handing_out;
        TurnsAtRest at_rest; /* closed, when set */
        gpointer userdata;
};

Turns *turns_new(void) {
        Turns *turns = g_new0(Turns, 1);
        g_queue_init(&turns->waiting);
        return turns;
}

static void turn_drop(Turn *turn) {
        turn->drop(turn->data);
        g_free(turn);
}

void turns_free(Turns *turns) {
        if (!turns)
                return;
        g_queue_clear_full(&turns->waiting, (GDestroyNotify) turn_drop);
        g_free(turns);
}

static void turns_hand_out(Turns *turns) {
        Turn *turn;

        if (turns->handing_out)
                return;
        turns->handing_out = true;
        while (!turns->taken && !turns->at_rest && (turn = g_queue_pop_head(&turns->waiting))) {
                turns->taken = turn->begin(turn->data);
                g_free(turn);
        }
        turns->handing_out = false;
}

void turns_ask(Turns *turns, TurnBegin begin, GDestroyNotify drop, gpointer data) {
        Turn *turn = g_new(Turn, 1);

        *turn = (Turn) {.begin = begin, .drop = drop, .data = data};
        g_queue_push_tail(&turns->waiting, turn);
        turns_hand_out(turns);
}

void turns_end(Turns *turns) {
        turns->taken = false;
        if (turns->at_rest)
                turns->at_rest(turns->userdata);
        else
                turns_hand_out(turns);
}

bool turns_taken(const Turns *turns) {
        return turns->taken;
}

void turns_close(Turns *turns, TurnsAtRest at_rest, gpointer userdata) {
        if (turns->at_rest)
                return;
        turns->at_rest = at_rest;
        turns->userdata = userdata;
        if (!turns->taken)
                at_rest(userdata);
}
