/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked of the hypervisor, and what comes of each job. The facts belong to the loop; a job
 * owns its input and its result. They are carried out one after the other by a worker, which is
 * there only when there is a libvirt; what asks QEMU, by another one. */

#include "error.h"
#include "guests-own.h"

static void errand_free(gpointer data) {
        Errand *errand = data;

        guest_job_free(errand->job);
        g_free(errand);
}

static void errand_run(gpointer data) {
        guest_job_run(((Errand *) data)->job);
}

static void errand_done(gpointer data, gpointer userdata);

GuestJob *guests_new_job(const Guests *guests, GuestJobKind kind) {
        return guest_job_new(kind, guests->hypervisor, guests->connection, guest_table_vendor(guests->table));
}

static bool asks_qemu(const GuestJob *job) {
        return job->kind >= GUEST_JOB_STATISTICS;
}

static gpointer connection_for(const Guests *guests, const GuestJob *job) {
        return asks_qemu(job) ? guests->second : guests->connection;
}

Errand *guests_submit(Guests *guests, GuestJob *job, GuestQuery *query) {
        Errand *errand = g_new(Errand, 1);

        job->hypervisor = guests->hypervisor;
        /* That of CONNECT is what is to be closed. */
        if (job->kind != GUEST_JOB_CONNECT)
                job->connection = connection_for(guests, job);
        if (query)
                guest_query_set_job(query, job);
        *errand = (Errand) {.guests = guests, .job = job, .query = query};
        worker_submit(asks_qemu(job) ? guests->statistics : guests->worker, errand_run, errand_done, errand_free,
                      errand, NULL);
        return errand;
}

static void on_found(Guests *guests, GuestJob *job, GuestQuery *query) {
        g_autoptr(GPtrArray) running = g_ptr_array_new_with_free_func(g_free);
        const GuestFacts *facts = NULL;

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

static void on_surveyed(Guests *guests, const GuestJob *job, GuestQuery *query) {
        GuestJob *more = guests_new_job(guests, GUEST_JOB_FIND);
        GPtrArray *again = guest_table_survey(guests->table, job->facts);

        g_ptr_array_extend_and_steal(more->names, again);
        more->all = true;
        if (more->names->len > 0)
                (void) guests_submit(guests, more, query);
        else {
                guest_job_free(more);
                guests_read_statistics(guests, NULL, query, NULL);
        }
}

/* Its error is the caller's, whatever became of the connection meanwhile. */
static void on_edited(Guests *guests, GuestJob *job, GuestQuery *query) {
        const GuestFacts *facts = NULL;

        if (!job->error && job->kind == GUEST_JOB_PLAN && job->plan->facts->active) {
                GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
                g_ptr_array_add(names, g_strdup(job->plan->facts->uuid));
                guests_read_statistics(guests, names, query, g_steal_pointer(&job->plan));
                return;
        }
        if (job->facts && job->facts->len > 0) {
                facts = g_ptr_array_index(job->facts, 0);
                guest_table_take(guests->table, g_ptr_array_steal_index_fast(job->facts, 0));
        }
        const GuestFound found = {.facts = facts, .plan = job->error ? NULL : g_steal_pointer(&job->plan)};
        guest_query_end(query, &found, job->error);
}

static void on_listed(Guests *guests) {
        const bool again = guests->list_again;

        guests->listing = guests->list_again = false;
        if (again)
                guests_refresh(guests);
}

static bool is_edit(const GuestJob *job) {
        return job->kind == GUEST_JOB_PLAN || job->kind == GUEST_JOB_DEFINE;
}

static void errand_done(gpointer data, gpointer userdata) {
        Errand *errand = data;
        Guests *guests = errand->guests;
        GuestJob *job = errand->job;

        if (job->kind == GUEST_JOB_CONNECT)
                guests_connected(guests, job);
        else if (job->kind == GUEST_JOB_STATISTICS)
                guests_have_read(guests, errand);
        else if (job->kind == GUEST_JOB_REPROBE)
                guests_reprobed(guests, job);
        else if (is_edit(job))
                on_edited(guests, job, errand->query);
        else if (job->connection != connection_for(guests, job) || (job->error && job->kind != GUEST_JOB_FIND)) {
                /* The connection was lost meanwhile, and what it said may no longer be so; or it is
                 * about to be. */
                g_autoptr(GError) lost = NULL;
                g_set_error(&lost, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, "%s",
                            job->error ? job->error->message : "The connection to libvirt was lost: try again");
                if (errand->query)
                        guest_query_end(errand->query, NULL, lost);
        } else if (job->kind == GUEST_JOB_LIST) {
                guest_table_take_all(guests->table, job->facts);
                guests_read_statistics(guests, NULL, NULL, NULL);
        } else if (job->kind == GUEST_JOB_FIND)
                on_found(guests, job, errand->query);
        else if (job->kind == GUEST_JOB_COUNT)
                guest_query_end(errand->query, &(GuestFound) {.counters = job->counters}, NULL);
        else if (job->kind == GUEST_JOB_SURVEY)
                on_surveyed(guests, job, errand->query);
        if (job->kind == GUEST_JOB_LIST)
                on_listed(guests);
        errand_free(errand);
}

/* What is asked for */

static void ask_for(Guests *guests, const GuestWaiter *waiter, GuestJob *job) {
        GuestQuery *query;

        if (guests->state == STATE_NONE) {
                g_autoptr(GError) error = NULL;
                g_set_error(&error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, "%s",
                            guests->sockets ? "There is no libvirt on this host: neither /run/libvirt/libvirt-sock nor "
                                              "/run/libvirt/virtqemud-sock is there"
                                            : "No libvirt is configured");
                guest_job_free(job);
                waiter->answer(waiter->call, &(GuestFound) {}, error, waiter->userdata);
                return;
        }
        if (guests->state == STATE_DOWN)
                guests_connect(guests);
        query = guest_queries_add(guests->queries, waiter, job, guests->state != STATE_UP);
        if (query && guests->state == STATE_UP)
                (void) guests_submit(guests, guest_query_job(query), query);
}

void guests_look(Guests *guests, const GuestWaiter *waiter, const char *name) {
        g_autofree char *lower = name ? g_ascii_strdown(name, -1) : NULL;
        GuestJob *job = guests_new_job(guests, name ? GUEST_JOB_FIND : GUEST_JOB_SURVEY);

        if (name)
                g_ptr_array_add(job->names, g_strdup(hypervisor_is_uuid(lower) ? lower : name));
        ask_for(guests, waiter, job);
}

void guests_count(Guests *guests, const GuestWaiter *waiter, GPtrArray *uuids) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_COUNT);

        g_ptr_array_extend_and_steal(job->names, uuids);
        ask_for(guests, waiter, job);
}

void guests_plan(Guests *guests, const GuestWaiter *waiter, const char *uuid, const GuestEdit *edit) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_PLAN);

        g_ptr_array_add(job->names, g_strdup(uuid));
        job->edit = guest_edit_copy(edit);
        ask_for(guests, waiter, job);
}

void guests_define(Guests *guests, const GuestWaiter *waiter, GuestPlan *plan) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_DEFINE);

        job->plan = plan;
        ask_for(guests, waiter, job);
}

int guests_append(sd_bus_message *reply, gconstpointer data) {
        const Guests *guests = data;

        return guest_table_append(guests->table, reply);
}

GHashTable *guests_running(const Guests *guests) {
        return guest_table_running(guests->table);
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
