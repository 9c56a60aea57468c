/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One pidfd for each process, however many wait for it. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "endings.h"
#include "log.h"
#include "pidfds.h"

#define ACCURACY_USEC (10U * 1000U)

struct Endings {
        sd_event *event;
        GHashTable *sources; /* pid -> sd_event_source* */
        GList *waits;        /* Wait* */
};

typedef struct Wait {
        Endings *endings;
        GHashTable *pids; /* that have not ended, a set */
        sd_event_source *timer;
        void (*done)(gpointer userdata);
        GDestroyNotify drop;
        gpointer userdata;
} Wait;

static void source_free(gpointer source) {
        (void) sd_event_source_disable_unref(source);
}

Endings *endings_new(sd_event *event) {
        Endings *endings = g_new0(Endings, 1);

        endings->event = event;
        endings->sources = g_hash_table_new_full(NULL, NULL, NULL, source_free);
        return endings;
}

static void wait_free(Wait *wait) {
        (void) sd_event_source_disable_unref(wait->timer);
        g_hash_table_unref(wait->pids);
        g_free(wait);
}

void endings_free(Endings *endings) {
        if (!endings)
                return;
        for (GList *i = endings->waits; i; i = i->next) {
                Wait *wait = i->data;

                wait->drop(wait->userdata);
                wait_free(wait);
        }
        g_list_free(endings->waits);
        g_hash_table_unref(endings->sources);
        g_free(endings);
}

static gboolean is_wanted_by_nobody(gpointer pid, gpointer source, gpointer userdata) {
        const Endings *endings = userdata;

        for (const GList *i = endings->waits; i; i = i->next)
                if (g_hash_table_contains(((const Wait *) i->data)->pids, pid))
                        return FALSE;
        return TRUE;
}

static void forget_unwanted(Endings *endings) {
        (void) g_hash_table_foreach_remove(endings->sources, is_wanted_by_nobody, endings);
}

static void wait_end(Wait *wait) {
        Endings *endings = wait->endings;

        endings->waits = g_list_remove(endings->waits, wait);
        forget_unwanted(endings);
        wait->done(wait->userdata);
        wait_free(wait);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        wait_end(userdata);
        return 0;
}

/* The timer ends it at once: there may be more than one to be ended, and each goes its own way. */
static void wait_soon(Wait *wait) {
        (void) sd_event_source_set_time(wait->timer, 0);
}

static void ended(Endings *endings, gpointer pid) {
        for (const GList *i = endings->waits; i; i = i->next) {
                Wait *wait = i->data;

                if (g_hash_table_remove(wait->pids, pid) && g_hash_table_size(wait->pids) == 0)
                        wait_soon(wait);
        }
        (void) g_hash_table_remove(endings->sources, pid);
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Endings *endings = userdata;
        GHashTableIter iter;
        gpointer pid, watched;

        g_hash_table_iter_init(&iter, endings->sources);
        while (g_hash_table_iter_next(&iter, &pid, &watched))
                if (watched == source) {
                        ended(endings, pid);
                        return 0;
                }
        return 0;
}

/* False when it has ended. One that can't be watched is waited for until the time is up. */
static bool watch(Endings *endings, unsigned pid) {
        sd_event_source *source;

        if (g_hash_table_contains(endings->sources, GUINT_TO_POINTER(pid)) ||
            g_hash_table_size(endings->sources) >= pidfds_max())
                return true;
        int r = pidfds_add(endings->event, pid, on_ended, endings, &source);
        if (r >= 0)
                (void) g_hash_table_insert(endings->sources, GUINT_TO_POINTER(pid), source);
        return r != -ESRCH;
}

bool endings_wait(Endings *endings, const GArray *pids, uint64_t usec, void (*done)(gpointer userdata),
                  GDestroyNotify drop, gpointer userdata) {
        Wait *wait = g_new0(Wait, 1);

        *wait = (Wait) {
                        .endings = endings,
                        .pids = g_hash_table_new(NULL, NULL),
                        .done = done,
                        .drop = drop,
                        .userdata = userdata,
        };
        for (unsigned i = 0; i < pids->len; i++) {
                const unsigned pid = g_array_index(pids, unsigned, i);
                if (watch(endings, pid))
                        (void) g_hash_table_add(wait->pids, GUINT_TO_POINTER(pid));
        }
        if (pids->len > 0 && g_hash_table_size(wait->pids) == 0)
                usec = 0;
        int r = sd_event_add_time_relative(endings->event, &wait->timer, CLOCK_MONOTONIC, usec, ACCURACY_USEC, on_timer,
                                           wait);
        if (r < 0) {
                log_error("Cannot wait for a process: %s", strerror(-r));
                forget_unwanted(endings);
                wait_free(wait);
                return false;
        }
        endings->waits = g_list_prepend(endings->waits, wait);
        return true;
}
