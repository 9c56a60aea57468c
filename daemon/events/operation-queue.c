/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue and a flag. One turn is handed out in an iteration of the loop, so that whatever queued
 * meanwhile is served between two of them; and none is begun by another one that is just
 * beginning. */

#include "operation-queue.h"

typedef struct Waiting {
        OperationBegin begin;
        GDestroyNotify drop;
        gpointer data;
} Waiting;

struct OperationQueue {
        GQueue waiting;        /* Waiting* */
        sd_event_source *next; /* hands out one of them */
        bool taken;
        bool handing_out;
        OperationQueueAtRest at_rest; /* closed, when set */
        gpointer userdata;
};

static void waiting_drop(Waiting *turn) {
        turn->drop(turn->data);
        g_free(turn);
}

void operation_queue_free(OperationQueue *queue) {
        if (!queue)
                return;
        g_queue_clear_full(&queue->waiting, (GDestroyNotify) waiting_drop);
        (void) sd_event_source_disable_unref(queue->next);
        g_free(queue);
}

/* The next one is for the loop's next iteration, if it can begin at all. */
static void hand_out_later(OperationQueue *queue) {
        if (!queue->taken && !queue->at_rest && !g_queue_is_empty(&queue->waiting))
                (void) sd_event_source_set_enabled(queue->next, SD_EVENT_ONESHOT);
}

static void hand_out(OperationQueue *queue) {
        Waiting *turn = queue->taken || queue->at_rest ? NULL : g_queue_pop_head(&queue->waiting);

        if (!turn)
                return;
        queue->handing_out = true;
        queue->taken = turn->begin(turn->data);
        queue->handing_out = false;
        g_free(turn);
        hand_out_later(queue);
}

static int on_next(sd_event_source *source, void *userdata) {
        hand_out(userdata);
        return 0;
}

OperationQueue *operation_queue_new(sd_event *event) {
        OperationQueue *queue = g_new0(OperationQueue, 1);

        g_queue_init(&queue->waiting);
        int r = sd_event_add_defer(event, &queue->next, on_next, queue);
        if (r >= 0)
                r = sd_event_source_set_enabled(queue->next, SD_EVENT_OFF);
        if (r < 0)
                g_clear_pointer(&queue, operation_queue_free);
        return queue;
}

void operation_queue_ask(OperationQueue *queue, OperationBegin begin, GDestroyNotify drop, gpointer data) {
        const bool first = g_queue_is_empty(&queue->waiting) && !queue->handing_out;
        Waiting *turn = g_new(Waiting, 1);

        *turn = (Waiting) {.begin = begin, .drop = drop, .data = data};
        g_queue_push_tail(&queue->waiting, turn);
        if (first)
                hand_out(queue);
}

void operation_queue_end(OperationQueue *queue) {
        queue->taken = false;
        if (queue->at_rest)
                queue->at_rest(queue->userdata);
        else
                hand_out_later(queue);
}

bool operation_queue_taken(const OperationQueue *queue) {
        return queue->taken;
}

void operation_queue_close(OperationQueue *queue, OperationQueueAtRest at_rest, gpointer userdata) {
        if (queue->at_rest)
                return;
        queue->at_rest = at_rest;
        queue->userdata = userdata;
        if (!queue->taken)
                at_rest(userdata);
}
