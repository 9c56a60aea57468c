/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A fair queue and a flag. One turn is handed out in an iteration of the loop, after what the bus
 * has brought. */

#include "fair-queue.h"
#include "later.h"
#include "operation-queue.h"

typedef struct Waiting {
        OperationBegin begin;
        GDestroyNotify drop;
        gpointer data;
} Waiting;

struct OperationQueue {
        FairQueue *waiting; /* Waiting* */
        Later *next;        /* hands out one of them */
        bool taken;
        OperationQueueEnded ended;
        gpointer listener;
        OperationQueueAtRest at_rest; /* closed, when set */
        gpointer userdata;
};

static void waiting_drop(gpointer data) {
        Waiting *turn = data;

        turn->drop(turn->data);
        g_free(turn);
}

void operation_queue_free(OperationQueue *queue) {
        if (!queue)
                return;
        fair_queue_free(queue->waiting, waiting_drop);
        later_free(queue->next);
        g_free(queue);
}

/* The next one is for the loop's next iteration, if it can begin at all. */
static void hand_out_later(OperationQueue *queue) {
        if (!queue->taken && !queue->at_rest && !fair_queue_is_empty(queue->waiting))
                later_ask(queue->next);
}

static void hand_out(gpointer data) {
        OperationQueue *queue = data;
        Waiting *turn = queue->taken || queue->at_rest ? NULL : fair_queue_pop(queue->waiting);

        if (!turn)
                return;
        queue->taken = turn->begin(turn->data);
        g_free(turn);
        hand_out_later(queue);
}

OperationQueue *operation_queue_new(sd_event *event) {
        OperationQueue *queue = g_new0(OperationQueue, 1);

        queue->waiting = fair_queue_new();
        queue->next = later_new(event, hand_out, queue);
        if (!queue->next)
                g_clear_pointer(&queue, operation_queue_free);
        return queue;
}

void operation_queue_ask(OperationQueue *queue, uid_t uid, OperationBegin begin, GDestroyNotify drop, gpointer data) {
        const bool first = fair_queue_is_empty(queue->waiting);
        Waiting *turn = g_new(Waiting, 1);

        *turn = (Waiting) {.begin = begin, .drop = drop, .data = data};
        fair_queue_push(queue->waiting, uid, turn);
        if (first)
                hand_out_later(queue);
}

void operation_queue_end(OperationQueue *queue) {
        queue->taken = false;
        if (queue->ended)
                queue->ended(queue->listener);
        if (queue->at_rest)
                queue->at_rest(queue->userdata);
        else
                hand_out_later(queue);
}

bool operation_queue_taken(const OperationQueue *queue) {
        return queue->taken;
}

void operation_queue_listen(OperationQueue *queue, OperationQueueEnded ended, gpointer userdata) {
        queue->ended = ended;
        queue->listener = userdata;
}

void operation_queue_close(OperationQueue *queue, OperationQueueAtRest at_rest, gpointer userdata) {
        if (queue->at_rest)
                return;
        queue->at_rest = at_rest;
        queue->userdata = userdata;
        if (!queue->taken)
                at_rest(userdata);
}
