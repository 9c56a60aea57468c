/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked of the guests, and what comes of it: the facts go into the table, and whoever waits
 * is answered. They belong to the loop. */

#include "error.h"
#include "guests-own.h"

/* The connection was lost meanwhile, and what it said may no longer be so; or it is about to be:
 * whoever waits is told. What was found of some guests is taken all the same. */
static bool is_lost(const Errand *errand) {
        const GuestJob *job = errand->job;
        g_autoptr(GError) lost = NULL;

        if (job->connection == guests_connection_for(errand->guests, job) &&
            (!job->error || job->kind == GUEST_JOB_FIND))
                return false;
        g_set_error(&lost, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, "%s",
                    job->error ? job->error->message : "The connection to libvirt was lost: try again");
        if (errand->query)
                guest_query_end(errand->query, NULL, lost);
        return true;
}

void guests_found(Errand *errand) {
        Guests *guests = errand->guests;
        GuestJob *job = errand->job;
        GuestQuery *query = errand->query;
        g_autoptr(GPtrArray) running = g_ptr_array_new_with_free_func(g_free);
        const GuestFacts *facts = NULL;

        if (is_lost(errand))
                return;
        /* A name without a guest may be that of one that was renamed: only UUIDs are forgotten. */
        for (unsigned i = 0; i < job->gone->len; i++)
                guest_table_forget(guests->table, g_ptr_array_index(job->gone, i));
        /* Of a guest that was asked for by its name there is one at most. */
        while (job->facts && job->facts->len > 0) {
                facts = g_ptr_array_index(job->facts, job->facts->len - 1);
                guest_table_take(guests->table, g_ptr_array_steal_index_fast(job->facts, job->facts->len - 1));
                if (facts->active)
                        g_ptr_array_add(running, g_strdup(facts->uuid));
        }
        if (!job->error && (job->all || running->len > 0))
                guests_read_statistics(guests, job->all ? NULL : g_steal_pointer(&running), query, NULL);
        else if (query)
                guest_query_end(query, &(GuestFound) {.facts = facts}, job->error);
}

void guests_surveyed(Errand *errand) {
        Guests *guests = errand->guests;
        GuestQuery *query = errand->query;

        if (is_lost(errand))
                return;
        GuestJob *more = guests_new_job(guests, GUEST_JOB_FIND);
        g_ptr_array_extend_and_steal(more->names, guest_table_survey(guests->table, errand->job->facts));
        more->all = true;
        if (more->names->len > 0)
                (void) guests_submit(guests, more, query);
        else {
                guest_job_free(more);
                guests_read_statistics(guests, NULL, query, NULL);
        }
}

/* Its error is the caller's, whatever became of the connection meanwhile. */
void guests_edited(Errand *errand) {
        Guests *guests = errand->guests;
        GuestJob *job = errand->job;
        GuestQuery *query = errand->query;
        const GuestFacts *facts = NULL;

        if (job->facts && job->facts->len > 0) {
                facts = g_ptr_array_index(job->facts, 0);
                guest_table_take(guests->table, g_ptr_array_steal_index_fast(job->facts, 0));
        }
        /* What a guest that runs would lose is told with the plan. */
        if (!job->error && job->kind != GUEST_JOB_DEFINE && job->plan->facts->active) {
                GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
                g_ptr_array_add(names, g_strdup(job->plan->facts->uuid));
                guests_read_statistics(guests, names, query, g_steal_pointer(&job->plan));
                return;
        }
        const GuestFound found = {.facts = facts, .plan = g_steal_pointer(&job->plan)};
        guest_query_end(query, &found, job->error);
}

void guests_listed(Errand *errand) {
        Guests *guests = errand->guests;
        const bool again = guests->list_again;

        if (!is_lost(errand)) {
                guest_table_take_all(guests->table, errand->job->facts);
                guests_read_statistics(guests, NULL, NULL, NULL);
        }
        guests->listing = guests->list_again = false;
        if (again)
                guests_refresh(guests);
}

void guests_counted(Errand *errand) {
        if (!is_lost(errand))
                guest_query_end(errand->query, &(GuestFound) {.counters = g_steal_pointer(&errand->job->counters)},
                                NULL);
}

/* What is asked for */

/* So many queries a worker has at a time: one that it carries out, and one that it need not wait
 * for. */
#define SERVED_MAX 2U

void guests_turn_away(Guests *guests, const GError *error) {
        GuestQuery *query;

        for (int qemu = false; qemu <= true; qemu++)
                while ((query = guest_queries_next(guests->queries, qemu))) {
                        guest_job_free(guest_query_job(query));
                        guest_query_end(query, NULL, error);
                }
}

void guests_serve(gpointer data) {
        Guests *guests = data;
        GuestQuery *query;

        for (int qemu = false; qemu <= true; qemu++)
                while (guests->state == STATE_UP && guest_queries_served(guests->queries, qemu) < SERVED_MAX &&
                       (query = guest_queries_next(guests->queries, qemu)))
                        (void) guests_submit(guests, guest_query_job(query), query);
}

void guests_asked(gpointer data) {
        Guests *guests = data;

        if (guests->state == STATE_NONE) {
                g_autoptr(GError) error = NULL;
                g_set_error(&error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, "%s",
                            guests->sockets ? "There is no libvirt on this host: neither /run/libvirt/libvirt-sock nor "
                                              "/run/libvirt/virtqemud-sock is there"
                                            : "No libvirt is configured");
                guests_turn_away(guests, error);
        } else if (guests->state == STATE_DOWN)
                guests_connect(guests);
        guests_serve(guests);
}

void guests_look(Guests *guests, const GuestWaiter *waiter, const char *name) {
        g_autofree char *lower = name ? g_ascii_strdown(name, -1) : NULL;
        GuestJob *job = guests_new_job(guests, name ? GUEST_JOB_FIND : GUEST_JOB_SURVEY);

        if (name)
                g_ptr_array_add(job->names, g_strdup(hypervisor_is_uuid(lower) ? lower : name));
        guest_queries_add(guests->queries, waiter, job);
}

void guests_count(Guests *guests, const GuestWaiter *waiter, GPtrArray *uuids) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_COUNT);

        g_ptr_array_extend_and_steal(job->names, uuids);
        guest_queries_add(guests->queries, waiter, job);
}

/* Of one that has neither, all but a snapshot comes with an event. */
static bool is_bare(const Guests *guests, const char *uuid) {
        const GuestFacts *facts = guest_table_find(guests->table, uuid);

        return facts && !facts->managed_save && !facts->snapshots;
}

static void add_edit(Guests *guests, GuestJobKind kind, const GuestWaiter *waiter, const char *uuid,
                     const GuestEdit *edit, bool surveyed) {
        GuestJob *job = guests_new_job(guests, kind);

        g_ptr_array_add(job->names, g_strdup(uuid));
        job->edit = guest_edit_copy(edit);
        job->bare = surveyed && is_bare(guests, uuid);
        guest_queries_add(guests->queries, waiter, job);
}

void guests_plan(Guests *guests, const GuestWaiter *waiter, const char *uuid, const GuestEdit *edit, bool surveyed) {
        add_edit(guests, GUEST_JOB_PLAN, waiter, uuid, edit, surveyed);
}

void guests_edit(Guests *guests, const GuestWaiter *waiter, const char *uuid, const GuestEdit *edit, bool surveyed) {
        add_edit(guests, GUEST_JOB_EDIT, waiter, uuid, edit, surveyed);
}

void guests_define(Guests *guests, const GuestWaiter *waiter, GuestPlan *plan) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_DEFINE);

        g_ptr_array_add(job->names, g_strdup(plan->facts->uuid));
        job->plan = plan;
        guest_queries_add(guests->queries, waiter, job);
}

void guests_list(Guests *guests, Call *call) {
        guest_listing_begin(guests->parts.pieces, guests->table, call);
}

bool guests_are_hidden(const Guests *guests) {
        return objects_guests_are_hidden(guests->parts.objects);
}

unsigned guests_left_out(const Guests *guests) {
        return guest_table_left_out(guests->table);
}

GHashTable *guests_names(const Guests *guests) {
        return guest_table_names(guests->table);
}

const GuestFacts *guests_find(const Guests *guests, const char *name_or_uuid) {
        return guest_table_find(guests->table, name_or_uuid);
}

GPtrArray *guests_unasked(const Guests *guests) {
        return guest_table_unasked(guests->table);
}

GHashTable *guests_running(const Guests *guests) {
        return guest_table_running(guests->table);
}

const Passing *guests_passing(const Guests *guests) {
        return &guests->passing;
}

const GuestHost *guests_host(const Guests *guests) {
        return guest_table_host(guests->table);
}

void guests_judge(gpointer data) {
        Guests *guests = data;

        /* Whose feature is meant is part of what was read. */
        if (!guest_table_judge(guests->table))
                guests_refresh(guests);
        guests_compare(guests);
}

void guests_foresee(const Guests *guests, const Plan *plan, GPtrArray *impact) {
        const bool down = guests->state == STATE_DOWN;
        Impact *unknown;

        if (!guest_table_foresee(guests->table, plan, impact) || !(down || guests->state == STATE_CONNECTING))
                return;
        unknown = g_new(Impact, 1);
        *unknown = (Impact) {
                        .subject = g_strdup("host"),
                        .kind = "unknown",
                        .message = g_strdup_printf("libvirt %s, so which guests this concerns is not known. "
                                                   "nestvirtctl guests asks it again",
                                                   down ? "can't be reached" : "has not answered yet"),
        };
        g_ptr_array_add(impact, unknown);
}

/* Nothing else bounds how many there are: whoever asks is not kept waiting. */
void guests_refresh(Guests *guests) {
        if (guests->listing)
                guests->list_again = true;
        else if (guests->state == STATE_UP) {
                guests->listing = true;
                (void) guests_submit(guests, guests_new_job(guests, GUEST_JOB_LIST), NULL);
        } else if (guests->state == STATE_DOWN)
                guests_connect(guests);
}
