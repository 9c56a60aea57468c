/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The snapshot of the guests: what libvirt says of them, held against the host, and published. It connects when there is a libvirt, again when
 * that has gone and come back, and reads anew what it is told has changed. Nothing here blocks, and the host's half never waits for it. */

#include "call.h"
#include "daemon.h"
#include "guest.h"
#include "plan.h"

/* NULL and a negative errno in @ret_error on failure. */
Guests *guests_new(Daemon *daemon, int *ret_error);
void guests_free(Guests *guests);
/* Begins to connect. @ready is called once: when the guests are known, or can't be for now, or at the latest after some seconds. */
void guests_begin(Guests *guests, void (*ready)(Daemon *daemon));
/* After each refresh of the host: verdicts may have changed. */
void guests_judge(Guests *guests);
/* Reads all of them again, when there is a connection. */
void guests_refresh(Guests *guests);
/* Adds what carrying @plan out would mean for those that are known: see guest-impact.h. */
void guests_foresee(const Guests *guests, const Plan *plan, GPtrArray *impact);

/* Exactly one of these is called; @facts is NULL when there is an error, or when all were asked for. */
typedef void (*GuestsAnswer)(Call *call, const GuestFacts *facts, const GError *error);
/* Looks at the guest of that name or UUID; or (@name NULL) at what can have changed of any guest without an event. Signals go out
 * before the answer. NoSuchGuest, LibvirtUnavailable, or TimedOut when libvirt has not answered in time. */
void guests_look(Guests *guests, Call *call, const char *name, GuestsAnswer answer);
