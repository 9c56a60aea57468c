/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of all guests, held against the host and published: whatever is written into it is
 * compared with what was there, and what differs is signalled. It asks nobody. */

#include "guest.h"
#include "host-state.h"
#include "object.h"
#include "plan.h"

typedef struct GuestBook GuestBook;

GuestBook *guest_book_new(Objects *objects, const HostState *state);
void guest_book_free(GuestBook *book);
/* As of the last look at the host. */
const char *guest_book_vendor(const GuestBook *book);
const GuestHost *guest_book_host(const GuestBook *book);
/* NULL when it is not known. The facts are the book's, until something is written into it. */
const GuestFacts *guest_book_find(const GuestBook *book, const char *name_or_uuid);

/* Appends the array that ListGuests returns: the guests in the order of their names, then of their
 * UUIDs. */
int guest_book_append(const GuestBook *book, sd_bus_message *message);
/* A set of the UUIDs of those that run on KVM; the caller's. */
GHashTable *guest_book_running(const GuestBook *book);

/* What carrying @plan out would mean for them (guest-impact.h), in the order of their names. False
 * when it can't mean anything for any guest. */
bool guest_book_foresee(const GuestBook *book, const Plan *plan, GPtrArray *impact);

/* Takes @facts over, which say nothing of what it has run: while it runs, that stays what it
 * was. */
void guest_book_take(GuestBook *book, GuestFacts *facts);
/* Takes all of @facts (GuestFacts*) over, and forgets whoever is not among them; NULL: there are
 * none. */
void guest_book_take_all(GuestBook *book, GPtrArray *facts);
void guest_book_forget(GuestBook *book, const char *uuid);
/* The UUIDs of those that have to be read again after a survey (hypervisor.h). */
GPtrArray *guest_book_survey(const GuestBook *book, const GPtrArray *facts);
/* What statistics() of hypervisor.h has told: what those have run that run. */
void guest_book_take_runs(GuestBook *book, const GPtrArray *facts);
/* The host is another one: judges anew. False when what was read is no longer what is wanted, as
 * the vendor is another. */
bool guest_book_judge(GuestBook *book);
