/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What waits, in a lane for each user: uid 0's, which is the daemon's own, too, is served first,
 * the others in turns, so that nobody waits behind all that another one has asked for. Within a
 * lane the order is that of asking. */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct FairQueue FairQueue;

FairQueue *fair_queue_new(void);
/* @drop gets each of those that wait. */
void fair_queue_free(FairQueue *queue, GDestroyNotify drop);

/* @item must not be NULL. */
void fair_queue_push(FairQueue *queue, uid_t uid, gpointer item);
/* NULL when there is none. */
gpointer fair_queue_pop(FairQueue *queue);
/* False when it is not there. */
bool fair_queue_remove(FairQueue *queue, uid_t uid, gpointer item);
bool fair_queue_is_empty(const FairQueue *queue);
