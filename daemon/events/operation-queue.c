/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A fair queue and a flag. One turn is handed out in an iteration of the loop, and only in one that
 * has nothing else to do: whatever the bus has brought is read first. Who sends without end must
 * not keep everybody from a turn, so there is a timer, which is as urgent as the bus, too. */

#include <string.h>

#include "fair-queue.h"
#include "log.h"
#include "operation-queue.h"

/* Greater is later: sd-event asks what it has found ready in that order. */
#define TURN_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)
/* So long a turn is put off at most by what the bus brings. */
#define LATE_USEC (50U * 1000U)
#define ACCURACY_USEC (10U * 1000U)

typedef struct Waiting {
        OperationBegin begin;
        GDestroyNotify drop;
        gpointer data;
} Waiting;

struct OperationQueue {
        FairQueue *waiting;    /* Waiting* */
        sd_event_source *next; /* hands out one of them */
        sd_event_source *late; /* the same */
        bool taken;
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
        (void) sd_event_source_disable_unref(queue->next);
        (void) sd_event_source_disable_unref(queue->late);
        g_free(queue);
}

/* The next one is for the loop's next iteration, if it can begin at all. */
static void hand_out_later(OperationQueue *queue) {
        if (queue->taken || queue->at_rest || fair_queue_is_empty(queue->waiting))
                return;
        int r = sd_event_source_set_enabled(queue->next, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = sd_event_source_set_time_relative(queue->late, LATE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(queue->late, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set the timer of the operations that wait: %s", strerror(-r));
}

static void hand_out(OperationQueue *queue) {
        (void) sd_event_source_set_enabled(queue->next, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(queue->late, SD_EVENT_OFF);
        Waiting *turn = queue->taken || queue->at_rest ? NULL : fair_queue_pop(queue->waiting);

        if (!turn)
                return;
        queue->taken = turn->begin(turn->data);
        g_free(turn);
        hand_out_later(queue);
}

static int on_next(sd_event_source *source, void *userdata) {
        hand_out(userdata);
        return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        hand_out(userdata);
        return 0;
}

static int add_sources(OperationQueue *queue, sd_event *event) {
        int r = sd_event_add_defer(event, &queue->next, on_next, queue);

        if (r >= 0)
                r = sd_event_source_set_priority(queue->next, TURN_PRIORITY);
        if (r >= 0)
                r = sd_event_source_set_enabled(queue->next, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &queue->late, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_late, queue);
        return r < 0 ? r : sd_event_source_set_enabled(queue->late, SD_EVENT_OFF);
}

OperationQueue *operation_queue_new(sd_event *event) {
        OperationQueue *queue = g_new0(OperationQueue, 1);

        queue->waiting = fair_queue_new();
        if (add_sources(queue, event) < 0)
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
