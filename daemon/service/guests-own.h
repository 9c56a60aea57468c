/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the guests share, and nobody else sees. From the bottom up: guests-own.c,
 * guests-jobs.c the way of a job, guests-statistics.c what guests have run, guests-reprobe.c what
 * libvirt has to be told of KVM, guests-connection.c, guests-answers.c what is asked and answered,
 * guests-life.c the whole. */

#include "guest-events.h"
#include "guest-job.h"
#include "guest-listing.h"
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

/* A job and who waits for it. */
typedef struct Errand {
        Guests *guests;
        GuestJob *job;
        GuestQuery *query; /* may be NULL */
} Errand;

/* Takes what came of a job; the errand is freed after that. */
typedef void (*GuestsDone)(Errand *errand);

/* Before the first try after a failure; then twice as long each time. */
#define GUESTS_RETRY_USEC (250U * 1000U)

struct Guests {
        GuestsParts parts;
        const GuestsDone *done; /* by GuestJobKind; NULL: nobody does */
        char *uri;
        LibvirtSockets *sockets; /* NULL: the URI was given */
        State state;
        const Hypervisor *hypervisor;
        gpointer connection;
        Passing passing; /* whose process libvirt's daemon is */
        Worker *worker;  /* NULL until the first connection, as is the next */
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
        /* what KVM was last loaded with (fixed-values.h), and what it was when the daemon
         * started; or NULL */
        char *values, *values_first;
        const char *compared_with; /* what nested was when guests' CPUs were last compared; NULL: there was no KVM */
        bool compare;              /* they are to be compared anew */
        bool reprobe_asked;        /* libvirt is to look again: a turn is waited for */
        sd_event_source *reprobe_turn; /* the end of that turn, when libvirt is late; NULL: none is under way */
        GuestJob *reprobe_job;         /* whose turn it is; the worker's, and set as long as the former is */
};

/* guests-own.c. As much is known of the guests as can be for now: who waits for the beginning needs
 * to no longer. */
void guests_ready(Guests *guests);
void guests_arm(sd_event_source *timer, uint64_t usec);

/* guests-jobs.c */
GuestJob *guests_new_job(const Guests *guests, GuestJobKind kind);
/* Takes @job over; @query: who waits for it, may be NULL. The errand is the worker's. */
Errand *guests_submit(Guests *guests, GuestJob *job, GuestQuery *query);
/* The one that such a job is carried out over now. */
gpointer guests_connection_for(const Guests *guests, const GuestJob *job);

/* guests-statistics.c. Reads what the guests of these UUIDs have run, all when there are none; then
 * @query is answered, with @plan, or before that when they hang. Takes @names and @plan over;
 * @query and @plan may be NULL. */
void guests_read_statistics(Guests *guests, GPtrArray *names, GuestQuery *query, GuestPlan *plan);
void guests_have_read(Errand *errand);
/* They have hung for a while: a handler of that timer. */
int guests_hang(sd_event_source *source, uint64_t usec, void *userdata);

/* guests-reprobe.c. Has libvirt look again when KVM was loaded with other values; at each
 * connection, as somebody may have loaded it meanwhile. And has it compare guests' CPUs anew when
 * that was done, or nested is another. */
void guests_reprobe(Guests *guests);
void guests_reprobed(Errand *errand);
/* The host was read. */
void guests_compare(Guests *guests);

/* guests-connection.c. Whatever was open is closed first. */
void guests_connect(Guests *guests);
void guests_connected(Errand *errand);
void guests_close_second(Guests *guests);

/* guests-answers.c */
void guests_listed(Errand *errand);
void guests_found(Errand *errand);
void guests_surveyed(Errand *errand);
void guests_edited(Errand *errand);
void guests_counted(Errand *errand);
/* Somebody waits for an answer. */
void guests_asked(gpointer guests);
/* The workers get what waits for them, as far as they have room. */
void guests_serve(gpointer guests);
/* Whoever waits hears why there is no libvirt. */
void guests_turn_away(Guests *guests, const GError *error);
