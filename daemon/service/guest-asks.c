/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set of calls with a timer and a job each. */

#include <string.h>

#include "error.h"
#include "guest-asks.h"
#include "log.h"

#define ACCURACY_USEC (50U * 1000U)

struct GuestAsks {
        sd_event *event;
        uint64_t patience_usec;
        GHashTable *all; /* GuestAsk*, a set */
        GQueue waiting;
};

struct GuestAsk {
        GuestAsks *asks;
        GuestsWaiter waiter; /* its call is NULL: answered */
        bool begun;          /* and told that it is too late, but may still be done */
        GuestJob *job;
        bool has_job; /* the job has not been handed on */
        char *name;   /* of the guest that was asked for, if one was */
        sd_event_source *timer;
};

static void ask_free(gpointer data) {
        GuestAsk *ask = data;

        (void) sd_event_source_disable_unref(ask->timer);
        if ((ask->waiter.call || ask->begun) && ask->waiter.drop)
                ask->waiter.drop(ask->waiter.userdata);
        g_clear_pointer(&ask->waiter.call, call_drop);
        if (ask->has_job)
                guest_job_free(ask->job);
        g_free(ask->name);
        g_free(ask);
}

static void ask_answer(GuestAsk *ask, GuestsFound *found, const GError *error) {
        ask->waiter.answer(g_steal_pointer(&ask->waiter.call), found, error, ask->waiter.userdata);
}

GuestAsks *guest_asks_new(sd_event *event, uint64_t patience_usec) {
        GuestAsks *asks = g_new0(GuestAsks, 1);

        asks->event = event;
        asks->patience_usec = patience_usec;
        asks->all = g_hash_table_new_full(NULL, NULL, ask_free, NULL);
        g_queue_init(&asks->waiting);
        return asks;
}

void guest_asks_free(GuestAsks *asks) {
        if (!asks)
                return;
        g_queue_clear(&asks->waiting);
        g_hash_table_unref(asks->all);
        g_free(asks);
}

static GError *say_late(const GuestAsk *ask) {
        const uint64_t seconds = ask->asks->patience_usec / G_USEC_PER_SEC;

        if (ask->begun)
                return g_error_new(CONDITION, CONDITION_TIMED_OUT,
                                   "libvirt has not answered for %" PRIu64
                                   " s, and may still do it. Look at it then: virsh dumpxml --inactive %s",
                                   seconds, ask->job->plan->facts->uuid);
        return g_error_new(CONDITION, CONDITION_TIMED_OUT,
                           "libvirt has not answered for %" PRIu64
                           " s; what is known of the host does not depend on it",
                           seconds);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        GuestAsk *ask = userdata;
        g_autoptr(GError) error = NULL;

        if (!ask->waiter.call)
                return 0;
        ask->begun = !guest_job_cancel(ask->job);
        error = say_late(ask);
        ask_answer(ask, &(GuestsFound) {.begun = ask->begun}, error);
        return 0;
}

GuestAsk *guest_asks_add(GuestAsks *asks, const GuestsWaiter *waiter, GuestJob *job, bool waits) {
        GuestAsk *ask = g_new(GuestAsk, 1);

        *ask = (GuestAsk) {
                        .asks = asks,
                        .waiter = *waiter,
                        .job = job,
                        .has_job = true,
                        .name = g_strdup(job->kind == GUEST_JOB_FIND ? g_ptr_array_index(job->names, 0) : NULL),
        };
        (void) g_hash_table_add(asks->all, ask);
        int r = sd_event_add_time_relative(asks->event, &ask->timer, CLOCK_MONOTONIC, asks->patience_usec,
                                           ACCURACY_USEC, on_late, ask);
        if (r < 0) {
                g_autoptr(GError) error = g_error_new(CONDITION, CONDITION_INTERNAL, "Cannot wait: %s", strerror(-r));
                guest_ask_end(ask, NULL, error);
                return NULL;
        }
        if (waits)
                g_queue_push_tail(&asks->waiting, ask);
        return ask;
}

GuestAsk *guest_asks_next(GuestAsks *asks) {
        return g_queue_pop_head(&asks->waiting);
}

GuestJob *guest_ask_job(GuestAsk *ask) {
        ask->has_job = false;
        return ask->job;
}

void guest_ask_set_job(GuestAsk *ask, GuestJob *job) {
        ask->job = job;
}

void guest_ask_end(GuestAsk *ask, const GuestsFound *found, const GError *error) {
        GuestsFound own = found ? *found : (GuestsFound) {};
        g_autoptr(GError) none = NULL;

        if (ask->name && !own.facts && !error)
                g_set_error(&none, CONDITION, CONDITION_NO_SUCH_GUEST,
                            "No guest is called \"%s\"; those that there are: nestvirtctl guests", ask->name);
        if (ask->waiter.call)
                ask_answer(ask, &own, error ?: none);
        else if (ask->begun) {
                ask->begun = false;
                ask->waiter.outcome(error, ask->waiter.userdata);
        }
        guest_plan_free(own.plan);
        (void) g_hash_table_remove(ask->asks->all, ask);
}
