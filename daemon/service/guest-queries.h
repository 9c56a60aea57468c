/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls that wait for the hypervisor, each for so long at most: whoever is late finds that nobody
 * waits any more. It asks nothing itself. */

#include <systemd/sd-event.h>

#include "call.h"
#include "guest-job.h"
#include "guest-plan.h"

/* What came of a question; all of it is nothing with an error, but for the plan and the last. */
typedef struct GuestFound {
        const GuestFacts *facts; /* of the guest that was asked for; stay the guests'. NULL when all were asked for */
        GuestPlan *plan;      /* of guests_plan(), guests_edit() and guests_define(): whoever wants it takes it out */
        GHashTable *counters; /* of guests_count(), as a GuestJob's; likewise */
        bool late;            /* with an error: there was no answer in time */
        bool begun;           /* late, of guests_edit() and guests_define(): what was begun may still be done */
} GuestFound;

/* Called once, unless the daemon ends before. */
typedef void (*GuestAnswer)(Call *call, GuestFound *found, const GError *error, gpointer userdata);
/* What came in the end of that which was begun, when the answer said so. Called once, unless the
 * daemon ends before. */
typedef void (*GuestOutcome)(const GError *error, gpointer userdata);

/* Who waits for an answer. The call is taken over. */
typedef struct GuestWaiter {
        Call *call;
        GuestAnswer answer;
        GuestOutcome outcome; /* of guests_edit() and guests_define(), else NULL */
        gpointer userdata;
        GDestroyNotify drop; /* of the userdata when the daemon ends; may be NULL */
} GuestWaiter;

typedef struct GuestQueries GuestQueries;
typedef struct GuestQuery GuestQuery;

/* @patience_usec: so long each waits at most. */
typedef struct GuestQueriesParts {
        sd_event *event;
        uint64_t patience_usec;
        void (*asked)(gpointer userdata); /* there is one more for guest_queries_next() */
        void (*ended)(gpointer userdata); /* one that was handed out has ended: there may be room for another */
        gpointer userdata;
} GuestQueriesParts;

GuestQueries *guest_queries_new(const GuestQueriesParts *parts);
/* Those that wait are dropped. */
void guest_queries_free(GuestQueries *queries);

/* Takes the waiter's call over, and @job. Once the call is admitted (call.h), it waits for
 * guest_queries_next(). */
void guest_queries_add(GuestQueries *queries, const GuestWaiter *waiter, GuestJob *job);
/* One of those that wait for a worker (guest_job_asks_qemu()), in turns of their users, which waits
 * no longer; NULL when there is none. */
GuestQuery *guest_queries_next(GuestQueries *queries, bool qemu);
/* How many have been handed out for it and have not ended. */
unsigned guest_queries_served(const GuestQueries *queries, bool qemu);
/* Its job, which is the caller's from now on; it has to live as long as the query. */
GuestJob *guest_query_job(GuestQuery *query);
/* It waits for this one now. */
void guest_query_set_job(GuestQuery *query, GuestJob *job);
/* Answers, or tells the outcome when the answer was that it is late, and frees it. With neither
 * facts nor an @error a guest that was named does not exist. The plan and the counters in
 * @found are taken over. */
void guest_query_end(GuestQuery *query, const GuestFound *found, const GError *error);
