/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue and a flag. One turn is handed out in an iteration of the loop, so that whatever queued
 * meanwhile is served between two of them; and none is begun by another one that is just
 * beginning. */

#include "turns.h"

typedef struct Turn {
        TurnBegin begin;
        GDestroyNotify drop;
        gpointer data;
} Turn;

struct Turns {
        GQueue waiting;        /* Turn* */
        sd_event_source *next; /* hands out one of them */
        bool taken;
        bool handing_out;
        TurnsAtRest at_rest; /* closed, when set */
        gpointer userdata;
};

static void turn_drop(Turn *turn) {
        turn->drop(turn->data);
        g_free(turn);
}

void turns_free(Turns *turns) {
        if (!turns)
                return;
        g_queue_clear_full(&turns->waiting, (GDestroyNotify) turn_drop);
        (void) sd_event_source_disable_unref(turns->next);
        g_free(turns);
}

/* The next one is for the loop's next iteration, if it can begin at all. */
static void turns_hand_out_later(Turns *turns) {
        if (!turns->taken && !turns->at_rest && !g_queue_is_empty(&turns->waiting))
                (void) sd_event_source_set_enabled(turns->next, SD_EVENT_ONESHOT);
}

static void turns_hand_out(Turns *turns) {
        Turn *turn = turns->taken || turns->at_rest ? NULL : g_queue_pop_head(&turns->waiting);

        if (!turn)
                return;
        turns->handing_out = true;
        turns->taken = turn->begin(turn->data);
        turns->handing_out = false;
        g_free(turn);
        turns_hand_out_later(turns);
}

static int on_next(sd_event_source *source, void *userdata) {
        turns_hand_out(userdata);
        return 0;
}

Turns *turns_new(sd_event *event) {
        Turns *turns = g_new0(Turns, 1);

        g_queue_init(&turns->waiting);
        int r = sd_event_add_defer(event, &turns->next, on_next, turns);
        if (r >= 0)
                r = sd_event_source_set_enabled(turns->next, SD_EVENT_OFF);
        if (r < 0)
                g_clear_pointer(&turns, turns_free);
        return turns;
}

void turns_ask(Turns *turns, TurnBegin begin, GDestroyNotify drop, gpointer data) {
        const bool first = g_queue_is_empty(&turns->waiting) && !turns->handing_out;
        Turn *turn = g_new(Turn, 1);

        *turn = (Turn) {.begin = begin, .drop = drop, .data = data};
        g_queue_push_tail(&turns->waiting, turn);
        if (first)
                turns_hand_out(turns);
}

void turns_end(Turns *turns) {
        turns->taken = false;
        if (turns->at_rest)
                turns->at_rest(turns->userdata);
        else
                turns_hand_out_later(turns);
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
