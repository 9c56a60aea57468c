/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the guests share, and nobody else sees: guests-connection.c has the
 * connection's life, guests-jobs.c the jobs and what comes of them, guests-reprobe.c what libvirt
 * has to be told of KVM. */

#include "guest-events.h"
#include "guest-job.h"
#include "guest-queries.h"
#include "guest-table.h"
#include "guests.h"
#include "libvirt-sockets.h"
#include "worker.h"

typedef enum State {
        STATE_NONE, /* there is no libvirt */
        STATE_DOWN, /* it could not be reached */
        STATE_CONNECTING,
        STATE_UP,
} State;

struct Guests {
        GuestsParts parts;
        char *uri;
        LibvirtSockets *sockets; /* NULL: the URI was given */
        State state;
        const Hypervisor *hypervisor;
        gpointer connection;
        Worker *worker; /* NULL until the first connection, as is the next */
        Worker *statistics;
        gpointer second;        /* that worker's own connection; there as long as the connection is */
        GQueue counting;        /* Errand*: GUEST_JOB_STATISTICS under way */
        bool late, count_again; /* they hang: nobody waits for them, and all are read once they do no longer */
        GuestEvents *events;
        GuestQueries *queries;
        GuestTable *table;
        uint64_t delay; /* before the next try */
        bool told;      /* the journal has that libvirt can't be reached */
        void (*ready)(gpointer userdata);
        gpointer ready_userdata;
        sd_event_source *sockets_source, *events_source, *worker_source, *statistics_source;
        sd_event_source *retry, *gather, *begin, *hang; /* timers */
        bool gathering;
        bool listing, list_again; /* GUEST_JOB_LIST: one is under way; all that was asked for meanwhile is one more */
        char *values, *values_first; /* what KVM was last loaded with (fixed-values.h), and what it was when the daemon started; or NULL */
        bool reprobe_asked;            /* libvirt is to look again: a turn is waited for */
        sd_event_source *reprobe_turn; /* the end of that turn, when libvirt is late; NULL: none is under way */
        GuestJob *reprobe_job;         /* whose turn it is; the worker's, and set as long as the former is */
};

/* A job and who waits for it. */
typedef struct Errand {
        Guests *guests;
        GuestJob *job;
        GuestQuery *query; /* may be NULL */
} Errand;

/* guests-connection.c. Whatever was open is closed first. */
void guests_connect(Guests *guests);
void guests_connected(Guests *guests, GuestJob *job);
/* As much is known of the guests as can be for now: who waits for the beginning needs to no
 * longer. */
void guests_ready(Guests *guests);
void guests_arm(sd_event_source *timer, uint64_t usec);

/* guests-jobs.c */
GuestJob *guests_new_job(const Guests *guests, GuestJobKind kind);
/* Takes @job over; @query: who waits for it, may be NULL. The errand is the worker's. */
Errand *guests_submit(Guests *guests, GuestJob *job, GuestQuery *query);

/* guests-statistics.c. Reads what the guests of these UUIDs have run, all when there are none; then
 * @query is answered, with @plan, or before that when they hang. Takes @names and @plan over;
 * @query and @plan may be NULL. */
void guests_read_statistics(Guests *guests, GPtrArray *names, GuestQuery *query, GuestPlan *plan);
void guests_have_read(Guests *guests, Errand *errand);
/* They have hung for a while: a handler of that timer. */
int guests_hang(sd_event_source *source, uint64_t usec, void *userdata);

/* guests-reprobe.c. Has libvirt look again when KVM was loaded with other values; at each
 * connection, as somebody may have loaded it meanwhile. */
void guests_reprobe(Guests *guests);
void guests_reprobed(Guests *guests, const GuestJob *job);
/* The host was read. */
void guests_compare(Guests *guests);
