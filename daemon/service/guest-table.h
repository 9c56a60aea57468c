/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of all guests, held against the host and published: whatever is written into it is
 * compared with what was there, and what differs is signalled. It asks nobody. */

#include "bound.h"
#include "guest-facts.h"
#include "guest-host.h"
#include "host-state.h"
#include "object.h"
#include "plan.h"

typedef struct GuestTable GuestTable;

GuestTable *guest_table_new(Objects *objects, const HostState *state);
void guest_table_free(GuestTable *table);
/* As of the last look at the host. */
const char *guest_table_vendor(const GuestTable *table);
const GuestHost *guest_table_host(const GuestTable *table);
/* NULL when it is not known. The facts are the table's, until something is written into it. */
const GuestFacts *guest_table_find(const GuestTable *table, const char *name_or_uuid);

/* Those that have an object: name (char*) -> UUID (char*). */
GHashTable *guest_table_names(const GuestTable *table);
/* For how many of them there is no object (object.h). */
unsigned guest_table_left_out(const GuestTable *table);

/* The names (char*) of those that are Windows and can nest though nothing asks for it
 * (guest-unasked.h), in their order. */
GPtrArray *guest_table_unasked(const GuestTable *table);

/* GuestFacts*, in the order of their names, then of their UUIDs; they are the table's, until
 * something is written into it, after which the edition is another one. */
GList *guest_table_sorted(const GuestTable *table);
unsigned guest_table_edition(const GuestTable *table);
/* Appends the guest as a row of ListGuests, if it has an object: see guest-row.h. */
int guest_table_append(const GuestTable *table, const GuestFacts *facts, sd_bus_message *message, BoundRows *rows);
/* A set of the UUIDs of those that run on KVM: a reference, to what nobody writes to any more, so
 * that another thread may read it, and that many who ask have it once. */
GHashTable *guest_table_running(GuestTable *table);

/* What carrying @plan out would mean for them (guest-impact.h), in the order of their names. False
 * when it can't mean anything for any guest. */
bool guest_table_foresee(const GuestTable *table, const Plan *plan, GPtrArray *impact);

/* Takes @facts over, which say nothing of what it has run: while it runs, that stays what it
 * was. */
void guest_table_take(GuestTable *table, GuestFacts *facts);
/* Takes all of @facts (GuestFacts*) over, and forgets whoever is not among them; NULL: there are
 * none. */
void guest_table_take_all(GuestTable *table, GPtrArray *facts);
void guest_table_forget(GuestTable *table, const char *uuid);
/* The UUIDs of those that have to be read again after a survey (hypervisor.h). */
GPtrArray *guest_table_survey(const GuestTable *table, const GPtrArray *facts);
/* The UUIDs of those whose facts are untold (guest-facts.h). */
GPtrArray *guest_table_untold(const GuestTable *table);
/* What statistics() of hypervisor.h has told: what those have run that run. */
void guest_table_take_runs(GuestTable *table, const GPtrArray *facts);
/* The CPU of one of them at least was compared with the host. */
bool guest_table_compares(const GuestTable *table);
/* What compare() of hypervisor.h has told. */
void guest_table_take_compared(GuestTable *table, GHashTable *compared);
/* The host is another one: judges anew. False when what was read is no longer what is wanted, as
 * the vendor is another. */
bool guest_table_judge(GuestTable *table);
