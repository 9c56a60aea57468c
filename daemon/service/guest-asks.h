/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Calls that wait for the hypervisor, each for so long at most: whoever is late finds that nobody
 * waits any more. It asks nothing itself. */

#include "guest-job.h"
#include "guests.h"

typedef struct GuestAsks GuestAsks;
typedef struct GuestAsk GuestAsk;

/* @patience_usec: so long each waits at most. */
GuestAsks *guest_asks_new(sd_event *event, uint64_t patience_usec);
/* Those that wait are dropped. */
void guest_asks_free(GuestAsks *asks);

/* Takes the waiter's call over, and @job. @waits: for guest_asks_next(). NULL when it has been
 * answered already, as there was no timer to be had. */
GuestAsk *guest_asks_add(GuestAsks *asks, const GuestsWaiter *waiter, GuestJob *job, bool waits);
/* One of those that wait, which do so no longer; NULL when there are no more. */
GuestAsk *guest_asks_next(GuestAsks *asks);
/* Its job, which is the caller's from now on; it has to live as long as the ask. */
GuestJob *guest_ask_job(GuestAsk *ask);
/* It waits for this one now. */
void guest_ask_set_job(GuestAsk *ask, GuestJob *job);
/* Answers, or tells the outcome when the answer was that it is late, and frees it. With neither
 * facts nor an @error a guest that was named does not exist. The plan in @found, which is NULL with
 * an @error, is taken over. */
void guest_ask_end(GuestAsk *ask, const GuestsFound *found, const GError *error);
