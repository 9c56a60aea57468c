/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose a connection is. dbus-daemon says so to who asks, and puts it into no message; it is asked
 * once, the loop does not wait for the answer, and what it has said of the last SENDERS_KEPT
 * connections is kept. A name on the bus is never given to another connection. */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

/* Twice as many connections as dbus-daemon allows to one user (max_connections_per_user). */
#define SENDERS_KEPT 512U

typedef struct Senders Senders;

typedef struct Sender {
        Senders *senders;
        char *name;
        unsigned calls; /* under way */
        bool known;
        uid_t uid;             /* when it is known, */
        pid_t pid;             /* and this, or 0 when the bus does not say it */
        sd_bus_slot *question; /* while the bus is asked */
        GQueue waiting;        /* whoever waits to know */
        GList place;           /* among those that are kept, when it has no calls */
} Sender;

/* The bus has answered: 0, and it is known; -ESRCH: it has left; else a negative errno. */
typedef void (*SenderKnown)(Sender *sender, int error);

Senders *senders_new(SenderKnown known);
void senders_free(Senders *senders);

/* The connection that has sent @message, with one call more. */
Sender *sender_take(Senders *senders, sd_bus_message *message);
/* One call less. */
void sender_release(Sender *sender);
/* Asks the bus, unless that is under way; a negative errno on failure. */
int sender_ask(Sender *sender, sd_bus *bus);
/* Any that somebody waits for; NULL when there is none. */
Sender *senders_unknown(const Senders *senders);
