/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls that wait for the hypervisor, each for so long at most: whoever is late finds that nobody waits any more. It asks nothing itself. */

#include "guests.h"

typedef struct GuestAsks GuestAsks;
typedef struct GuestAsk GuestAsk;

GuestAsks *guest_asks_new(Daemon *daemon);
/* Those that wait are dropped. */
void guest_asks_free(GuestAsks *asks);

/* Takes @call over. @name may be NULL; @waits: for guest_asks_next(). NULL when it has been answered already, as there was no timer to be had. */
GuestAsk *guest_asks_add(GuestAsks *asks, Call *call, const char *name, GuestsAnswer answer, bool waits);
/* One of those that wait, which do so no longer; NULL when there are no more. */
GuestAsk *guest_asks_next(GuestAsks *asks);
/* NULL: it is about all guests. */
const char *guest_ask_name(const GuestAsk *ask);
/* Answers, unless that was done when its time was over, and frees it. With neither @facts nor @error a guest that was named does not exist. */
void guest_ask_end(GuestAsk *ask, const GuestFacts *facts, const GError *error);
