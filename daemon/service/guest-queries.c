/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set of calls with a timer and a job each, of which one waits in the lane of its user
 * (fair-queue.h) until it is handed out. */

#include <string.h>

#include "error.h"
#include "fair-queue.h"
#include "guest-queries.h"
#include "log.h"

#define ACCURACY_USEC (50U * 1000U)

/* The two workers that queries wait for: of libvirt, and of QEMU. */
enum { WORKERS = 2 };

struct GuestQueries {
        GuestQueriesParts parts;
        GHashTable *all;             /* GuestQuery*, a set */
        FairQueue *waiting[WORKERS]; /* GuestQuery* */
        unsigned served[WORKERS];
};

typedef enum Stage {
        STAGE_NEW, /* its user is not known */
        STAGE_WAITS,
        STAGE_SERVED, /* its job has been handed on */
} Stage;

struct GuestQuery {
        GuestQueries *queries;
        GuestWaiter waiter; /* its call is NULL: answered */
        bool begun;         /* and told that it is too late, but may still be done */
        Stage stage;
        bool qemu; /* which worker it is for */
        uid_t uid; /* whose lane it waits in */
        GuestJob *job;
        char *name; /* of the guest that was asked for, if one was */
        sd_event_source *timer;
};

static void query_free(gpointer data) {
        GuestQuery *query = data;

        (void) sd_event_source_disable_unref(query->timer);
        if ((query->waiter.call || query->begun) && query->waiter.drop)
                query->waiter.drop(query->waiter.userdata);
        g_clear_pointer(&query->waiter.call, call_drop);
        if (query->stage == STAGE_WAITS)
                (void) fair_queue_remove(query->queries->waiting[query->qemu], query->uid, query);
        if (query->stage != STAGE_SERVED)
                guest_job_free(query->job);
        g_free(query->name);
        g_free(query);
}

static void query_answer(GuestQuery *query, GuestFound *found, const GError *error) {
        query->waiter.answer(g_steal_pointer(&query->waiter.call), found, error, query->waiter.userdata);
}

GuestQueries *guest_queries_new(const GuestQueriesParts *parts) {
        GuestQueries *queries = g_new0(GuestQueries, 1);

        queries->parts = *parts;
        queries->all = g_hash_table_new_full(NULL, NULL, query_free, NULL);
        for (unsigned i = 0; i < WORKERS; i++)
                queries->waiting[i] = fair_queue_new();
        return queries;
}

static void nobody(gpointer unused) {
}

void guest_queries_free(GuestQueries *queries) {
        if (!queries)
                return;
        g_hash_table_unref(queries->all);
        for (unsigned i = 0; i < WORKERS; i++)
                fair_queue_free(queries->waiting[i], nobody);
        g_free(queries);
}

static GError *say_late(const GuestQuery *query) {
        const uint64_t seconds = query->queries->parts.patience_usec / G_USEC_PER_SEC;

        if (query->begun)
                return g_error_new(CONDITION, CONDITION_TIMED_OUT,
                                   "libvirt has not answered for %" PRIu64
                                   " s, and may still do it. Look at it then: virsh dumpxml --inactive %s",
                                   seconds, (const char *) g_ptr_array_index(query->job->names, 0));
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
        if (query->stage != STAGE_SERVED) {
                error = say_late(query);
                guest_query_end(query, &(GuestFound) {.late = true}, error);
                return 0;
        }
        query->begun = !guest_job_cancel(query->job);
        error = say_late(query);
        query_answer(query, &(GuestFound) {.late = true, .begun = query->begun}, error);
        return 0;
}

static void query_admitted(gpointer data) {
        GuestQuery *query = data;
        const GuestQueriesParts *parts = &query->queries->parts;

        query->uid = call_uid(query->waiter.call);
        query->stage = STAGE_WAITS;
        fair_queue_push(query->queries->waiting[query->qemu], query->uid, query);
        parts->asked(parts->userdata);
}

static void query_dropped(gpointer data) {
        GuestQuery *query = data;

        (void) g_hash_table_remove(query->queries->all, query);
}

void guest_queries_add(GuestQueries *queries, const GuestWaiter *waiter, GuestJob *job) {
        GuestQuery *query = g_new(GuestQuery, 1);

        *query = (GuestQuery) {
                        .queries = queries,
                        .waiter = *waiter,
                        .qemu = guest_job_asks_qemu(job),
                        .job = job,
                        .name = g_strdup(job->kind == GUEST_JOB_FIND ? g_ptr_array_index(job->names, 0) : NULL),
        };
        (void) g_hash_table_add(queries->all, query);
        int r = sd_event_add_time_relative(queries->parts.event, &query->timer, CLOCK_MONOTONIC,
                                           queries->parts.patience_usec, ACCURACY_USEC, on_late, query);
        if (r >= 0) {
                call_admit(query->waiter.call, query_admitted, query_dropped, query);
                return;
        }
        g_autoptr(GError) error = g_error_new(CONDITION, CONDITION_INTERNAL, "Cannot wait: %s", strerror(-r));
        guest_query_end(query, NULL, error);
}

GuestQuery *guest_queries_next(GuestQueries *queries, bool qemu) {
        GuestQuery *query = fair_queue_pop(queries->waiting[qemu]);

        if (query) {
                query->stage = STAGE_SERVED;
                queries->served[qemu]++;
        }
        return query;
}

unsigned guest_queries_served(const GuestQueries *queries, bool qemu) {
        return queries->served[qemu];
}

GuestJob *guest_query_job(GuestQuery *query) {
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
        g_clear_pointer(&own.counters, g_hash_table_unref);
        GuestQueries *queries = query->queries;
        const bool served = query->stage == STAGE_SERVED;
        if (served)
                queries->served[query->qemu]--;
        (void) g_hash_table_remove(queries->all, query);
        if (served)
                queries->parts.ended(queries->parts.userdata);
}
