/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What guests have run, which only their QEMUs can tell, and a QEMU may hang: what waits for it,
 * and how long. It is read behind whatever else is read of a guest, whose answer waits for a
 * moment. Once that was in vain nothing waits any more, and all of them are read when that has come
 * to an end. */

#include "guests-own.h"

#define HANG_USEC (2U * 1000U * 1000U)

static void arm(Guests *guests) {
        guests_arm(guests->hang, MIN(HANG_USEC, guests->parts.patience_usec / 2));
}

/* With what is known by now. */
static void answer(Errand *errand) {
        GuestJob *job = errand->job;
        GuestQuery *query = g_steal_pointer(&errand->query);
        const GuestFacts *facts = NULL;

        if (!query)
                return;
        if (job->names->len == 1)
                facts = guest_table_find(errand->guests->table, g_ptr_array_index(job->names, 0));
        if (facts && job->plan)
                guest_facts_take_runs(job->plan->facts, facts);
        const GuestFound found = {.facts = facts, .plan = g_steal_pointer(&job->plan)};
        guest_query_end(query, &found, NULL);
}

void guests_read_statistics(Guests *guests, GPtrArray *names, GuestQuery *query, GuestPlan *plan) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_STATISTICS);

        if (names)
                g_ptr_array_extend_and_steal(job->names, names);
        job->plan = plan;
        job->root = root_ref(guests->parts.state->root);
        job->guests = guest_table_running(guests->table);
        if (guests->late || !guests->second) {
                guests->count_again = true;
                answer(&(Errand) {.guests = guests, .job = job, .query = query});
                guest_job_free(job);
                return;
        }
        if (g_queue_is_empty(&guests->counting))
                arm(guests);
        g_queue_push_tail(&guests->counting, guests_submit(guests, job, query));
}

int guests_hang(sd_event_source *source, uint64_t usec, void *userdata) {
        Guests *guests = userdata;

        guests->late = true;
        for (const GList *i = guests->counting.head; i; i = i->next)
                answer(i->data);
        guests_ready(guests);
        return 0;
}

/* A QEMU has answered, maybe one that did not before, and what libvirt could not tell meanwhile is
 * asked for. */
static void read_untold(Guests *guests) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_FIND);

        g_ptr_array_extend_and_steal(job->names, guest_table_untold(guests->table));
        if (job->names->len > 0)
                (void) guests_submit(guests, job, NULL);
        else
                guest_job_free(job);
}

void guests_have_read(Errand *errand) {
        Guests *guests = errand->guests;
        const GuestJob *job = errand->job;

        (void) g_queue_remove(&guests->counting, errand);
        guests->late = false;
        if (g_queue_is_empty(&guests->counting))
                (void) sd_event_source_set_enabled(guests->hang, SD_EVENT_OFF);
        else
                arm(guests);
        /* Its caller has given up, and it was not begun. */
        if (job->error)
                guests->count_again = true;
        if (job->facts && job->connection == guests->second)
                guest_table_take_runs(guests->table, job->facts);
        answer(errand);
        guests_ready(guests);
        if (job->answered && job->connection == guests->second)
                read_untold(guests);
        if (guests->count_again && guests->second) {
                guests->count_again = false;
                guests_read_statistics(guests, NULL, NULL, NULL);
        }
}
