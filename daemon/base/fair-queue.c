/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A queue of queues: the lane that was served goes to the end. A lane is there as long as somebody
 * waits in it. */

#include "fair-queue.h"

typedef struct Lane {
        uid_t uid;
        GQueue items;
} Lane;

struct FairQueue {
        GQueue first; /* of uid 0 */
        GQueue lanes; /* Lane*, of the others; none of them is empty */
};

FairQueue *fair_queue_new(void) {
        FairQueue *queue = g_new(FairQueue, 1);

        g_queue_init(&queue->first);
        g_queue_init(&queue->lanes);
        return queue;
}

void fair_queue_free(FairQueue *queue, GDestroyNotify drop) {
        gpointer item;

        if (!queue)
                return;
        while ((item = fair_queue_pop(queue)))
                drop(item);
        g_free(queue);
}

static GList *find_lane(FairQueue *queue, uid_t uid) {
        GList *i = queue->lanes.head;

        while (i && ((Lane *) i->data)->uid != uid)
                i = i->next;
        return i;
}

void fair_queue_push(FairQueue *queue, uid_t uid, gpointer item) {
        const GList *found = uid == 0 ? NULL : find_lane(queue, uid);
        Lane *lane = found ? found->data : NULL;

        if (uid != 0 && !lane) {
                lane = g_new(Lane, 1);
                *lane = (Lane) {.uid = uid};
                g_queue_init(&lane->items);
                g_queue_push_tail(&queue->lanes, lane);
        }
        g_queue_push_tail(lane ? &lane->items : &queue->first, item);
}

gpointer fair_queue_pop(FairQueue *queue) {
        if (!g_queue_is_empty(&queue->first))
                return g_queue_pop_head(&queue->first);

        Lane *lane = g_queue_pop_head(&queue->lanes);
        if (!lane)
                return NULL;
        gpointer item = g_queue_pop_head(&lane->items);
        if (g_queue_is_empty(&lane->items))
                g_free(lane);
        else
                g_queue_push_tail(&queue->lanes, lane);
        return item;
}

bool fair_queue_remove(FairQueue *queue, uid_t uid, gpointer item) {
        GList *found = uid == 0 ? NULL : find_lane(queue, uid);
        Lane *lane = found ? found->data : NULL;

        if (uid == 0)
                return g_queue_remove(&queue->first, item);
        if (!lane || !g_queue_remove(&lane->items, item))
                return false;
        if (g_queue_is_empty(&lane->items)) {
                g_queue_delete_link(&queue->lanes, found);
                g_free(lane);
        }
        return true;
}

bool fair_queue_is_empty(const FairQueue *queue) {
        return g_queue_is_empty((GQueue *) &queue->first) && g_queue_is_empty((GQueue *) &queue->lanes);
}
