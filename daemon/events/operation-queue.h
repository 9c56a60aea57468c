/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may touch the host next: one at a time, and fair (fair-queue.h): a user who asks a thousand
 * times has the next turn after everybody else has had one. Requests are judged against a host at
 * rest, changes are carried out one by one, and nothing opens /dev/kvm meanwhile. It knows nothing
 * of what is done in a turn. */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct OperationQueue OperationQueue;

/* The host is at rest. True: the turn is kept until operation_queue_end(), which must not be called
 * before this has returned. It takes @data over. */
typedef bool (*OperationBegin)(gpointer data);
typedef void (*OperationQueueAtRest)(gpointer userdata);
typedef void (*OperationQueueEnded)(gpointer userdata);

/* NULL when there is no memory for it. */
OperationQueue *operation_queue_new(sd_event *event);
/* Those that wait are dropped. */
void operation_queue_free(OperationQueue *queue);

/* @begin is called from the loop, never from within this, when it is the turn of @uid (0: the
 * daemon itself as well), after what the bus has brought by then. @drop gets @data when it never
 * comes to that. */
void operation_queue_ask(OperationQueue *queue, uid_t uid, OperationBegin begin, GDestroyNotify drop, gpointer data);
void operation_queue_end(OperationQueue *queue);
/* A turn is under way. */
bool operation_queue_taken(const OperationQueue *queue);
/* @ended is called at the end of each turn that was kept, before the next one begins; one listens
 * at most, NULL listens no longer. */
void operation_queue_listen(OperationQueue *queue, OperationQueueEnded ended, gpointer userdata);

/* No turn begins any more; @at_rest is called when the one under way has ended, or at once. */
void operation_queue_close(OperationQueue *queue, OperationQueueAtRest at_rest, gpointer userdata);
