/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way of a job to its worker and back. A job owns its input and its result; they are carried
 * out one after the other by a worker, which is there only when there is a libvirt; what asks QEMU,
 * by another one. What comes of them is others'. */

#include "guests-own.h"

static void errand_free(gpointer data) {
        Errand *errand = data;

        guest_job_free(errand->job);
        g_free(errand);
}

static void errand_run(gpointer data) {
        guest_job_run(((Errand *) data)->job);
}

static void errand_done(gpointer data, gpointer userdata) {
        Errand *errand = data;
        const GuestsDone done = errand->guests->done[errand->job->kind];

        if (done)
                done(errand);
        errand_free(errand);
}

GuestJob *guests_new_job(const Guests *guests, GuestJobKind kind) {
        return guest_job_new(kind, guests->hypervisor, guests->connection, guest_table_vendor(guests->table));
}

gpointer guests_connection_for(const Guests *guests, const GuestJob *job) {
        return guest_job_asks_qemu(job) ? guests->second : guests->connection;
}

Errand *guests_submit(Guests *guests, GuestJob *job, GuestQuery *query) {
        Errand *errand = g_new(Errand, 1);

        job->hypervisor = guests->hypervisor;
        /* That of CONNECT is what is to be closed. */
        if (job->kind != GUEST_JOB_CONNECT)
                job->connection = guests_connection_for(guests, job);
        if (query)
                guest_query_set_job(query, job);
        *errand = (Errand) {.guests = guests, .job = job, .query = query};
        worker_submit(guest_job_asks_qemu(job) ? guests->statistics : guests->worker, errand_run, errand_done,
                      errand_free, errand, NULL);
        return errand;
}
