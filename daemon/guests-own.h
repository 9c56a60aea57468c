/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the guests share, and nobody else sees: guests.c has the connection's life, guests-asked.c the jobs and what comes of them,
 * guests-reprobe.c what libvirt has to be told of KVM. */

#include "guest-asks.h"
#include "guest-book.h"
#include "guest-inbox.h"
#include "guest-job.h"
#include "guests.h"
#include "sockets.h"

typedef enum State {
        STATE_NONE, /* there is no libvirt */
        STATE_DOWN, /* it could not be reached */
        STATE_CONNECTING,
        STATE_UP,
} State;

struct Guests {
        Daemon *daemon;
        char *uri;
        Sockets *sockets; /* NULL: the URI was given */
        State state;
        const Hypervisor *hypervisor;
        gpointer connection;
        Worker *worker; /* NULL until the first connection */
        GuestInbox *inbox;
        GuestAsks *asks;
        GuestBook *book;
        uint64_t delay; /* before the next try */
        bool told;      /* the journal has that libvirt can't be reached */
        void (*ready)(Daemon *daemon);
        sd_event_source *sockets_source, *inbox_source, *worker_source;
        sd_event_source *retry, *gather, *begin; /* timers */
        bool gathering;
        bool listing, list_again; /* GUEST_JOB_LIST: one is under way; all that was asked for meanwhile is one more */
        char *values, *values_first; /* what KVM was last loaded with (fixed-values.h), and what it was when the daemon started; or NULL */
        bool reprobe_asked;            /* libvirt is to look again: a turn is waited for */
        sd_event_source *reprobe_turn; /* the end of that turn, when libvirt is late; NULL: none is under way */
        GuestJob *reprobe_job;         /* whose turn it is; the worker's, and set as long as the former is */
};

/* guests.c. Whatever was open is closed first. */
void guests_connect(Guests *guests);
void guests_connected(Guests *guests, GuestJob *job);

/* guests-asked.c */
GuestJob *guests_new_job(const Guests *guests, GuestJobKind kind);
/* Takes @job over; @ask: who waits for it, may be NULL. */
void guests_submit(Guests *guests, GuestJob *job, GuestAsk *ask);

/* guests-reprobe.c. Has libvirt look again when KVM was loaded with other values; at each connection, as somebody may have loaded it meanwhile. */
void guests_reprobe(Guests *guests);
void guests_reprobed(Guests *guests, const GuestJob *job);
/* The host was read. */
void guests_compare(Guests *guests);
