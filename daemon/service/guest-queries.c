/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set of calls with a timer and a job each. */

#include <string.h>

#include "error.h"
#include "guest-queries.h"
#include "log.h"

#define ACCURACY_USEC (50U * 1000U)

struct GuestQueries {
        sd_event *event;
        uint64_t patience_usec;
        GHashTable *all; /* GuestQuery*, a set */
        GQueue waiting;
};

struct GuestQuery {
        GuestQueries *queries;
        GuestWaiter waiter; /* its call is NULL: answered */
        bool begun;         /* and told that it is too late, but may still be done */
        GuestJob *job;
        bool has_job; /* the job has not been handed on */
        char *name;   /* of the guest that was asked for, if one was */
        sd_event_source *timer;
};

static void query_free(gpointer data) {
        GuestQuery *query = data;

        (void) sd_event_source_disable_unref(query->timer);
        if ((query->waiter.call || query->begun) && query->waiter.drop)
                query->waiter.drop(query->waiter.userdata);
        g_clear_pointer(&query->waiter.call, call_drop);
        if (query->has_job)
                guest_job_free(query->job);
        g_free(query->name);
        g_free(query);
}

static void query_answer(GuestQuery *query, GuestFound *found, const GError *error) {
        query->waiter.answer(g_steal_pointer(&query->waiter.call), found, error, query->waiter.userdata);
}

GuestQueries *guest_queries_new(sd_event *event, uint64_t patience_usec) {
        GuestQueries *queries = g_new0(GuestQueries, 1);

        queries->event = event;
        queries->patience_usec = patience_usec;
        queries->all = g_hash_table_new_full(NULL, NULL, query_free, NULL);
        g_queue_init(&queries->waiting);
        return queries;
}

void guest_queries_free(GuestQueries *queries) {
        if (!queries)
                return;
        g_queue_clear(&queries->waiting);
        g_hash_table_unref(queries->all);
        g_free(queries);
}

static GError *say_late(const GuestQuery *query) {
        const uint64_t seconds = query->queries->patience_usec / G_USEC_PER_SEC;

        if (query->begun)
                return g_error_new(CONDITION, CONDITION_TIMED_OUT,
                                   "libvirt has not answered for %" PRIu64
                                   " s, and may still do it. Look at it then: virsh dumpxml --inactive %s",
                                   seconds, query->job->plan->facts->uuid);
        return g_error_new(CONDITION, CONDITION_TIMED_OUT,
                           "libvirt has not answered for %" PRIu64
                           " s; what is known of the host does not depend on it",
                           seconds);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        GuestQuery *query = userdata;
        g_autoptr(GError) error = NULL;

        if (!query->waiter.call)
                return 0;
        query->begun = !guest_job_cancel(query->job);
        error = say_late(query);
        query_answer(query, &(GuestFound) {.begun = query->begun}, error);
        return 0;
}

GuestQuery *guest_queries_add(GuestQueries *queries, const GuestWaiter *waiter, GuestJob *job, bool waits) {
        GuestQuery *query = g_new(GuestQuery, 1);

        *query = (GuestQuery) {
                        .queries = queries,
                        .waiter = *waiter,
                        .job = job,
                        .has_job = true,
                        .name = g_strdup(job->kind == GUEST_JOB_FIND ? g_ptr_array_index(job->names, 0) : NULL),
        };
        (void) g_hash_table_add(queries->all, query);
        int r = sd_event_add_time_relative(queries->event, &query->timer, CLOCK_MONOTONIC, queries->patience_usec,
                                           ACCURACY_USEC, on_late, query);
        if (r < 0) {
                g_autoptr(GError) error = g_error_new(CONDITION, CONDITION_INTERNAL, "Cannot wait: %s", strerror(-r));
                guest_query_end(query, NULL, error);
                return NULL;
        }
        if (waits)
                g_queue_push_tail(&queries->waiting, query);
        return query;
}

GuestQuery *guest_queries_next(GuestQueries *queries) {
        return g_queue_pop_head(&queries->waiting);
}

GuestJob *guest_query_job(GuestQuery *query) {
        query->has_job = false;
        return query->job;
}

void guest_query_set_job(GuestQuery *query, GuestJob *job) {
        query->job = job;
}

void guest_query_end(GuestQuery *query, const GuestFound *found, const GError *error) {
        GuestFound own = found ? *found : (GuestFound) {};
        g_autoptr(GError) none = NULL;

        if (query->name && !own.facts && !error)
                g_set_error(&none, CONDITION, CONDITION_NO_SUCH_GUEST,
                            "No guest is called \"%s\"; those that there are: nestvirtctl guests", query->name);
        if (query->waiter.call)
                query_answer(query, &own, error ?: none);
        else if (query->begun) {
                query->begun = false;
                query->waiter.outcome(error, query->waiter.userdata);
        }
        guest_plan_free(own.plan);
        (void) g_hash_table_remove(query->queries->all, query);
}
