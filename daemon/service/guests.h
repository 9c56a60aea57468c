/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The snapshot of the guests: what libvirt says of them, held against the host, and published. It
 * connects when there is a libvirt, again when that has gone and come back, and reads anew what it
 * is told has changed. Nothing here blocks, and the host's half never waits for it, but for the
 * moment in which libvirt's own QEMU has /dev/kvm open (guests-reprobe.c). */

#include "guest-plan.h"
#include "guest-queries.h"
#include "host-state.h"
#include "hypervisor.h"
#include "object.h"
#include "operation-queue.h"
#include "passing.h"
#include "pieces.h"
#include "plan.h"

typedef struct Guests Guests;

/* What they are known by; all of it stays the caller's. */
typedef struct GuestsParts {
        sd_event *event;
        HostState *state;
        Objects *objects;
        OperationQueue *queue;
        Pieces *pieces;               /* gone after the guests */
        const char *uri;              /* of libvirt; NULL: what the configuration says, or the machine's own */
        const Hypervisor *hypervisor; /* NULL: libvirt, when there is one */
        uint64_t patience_usec;       /* so long at most a call about a guest waits for it */
        bool from_files;              /* the definitions beneath the root are all there is, whatever the former say */
        bool may_record;              /* the host's lock is ours: what KVM was loaded with may be written down */
} GuestsParts;

/* NULL and a negative errno in @ret_error on failure. */
Guests *guests_new(const GuestsParts *parts, int *ret_error);
void guests_free(Guests *guests);
/* Begins to connect. @ready is called once: when the guests are known, or can't be for now, or at
 * the latest after some seconds. */
void guests_begin(Guests *guests, void (*ready)(gpointer userdata), gpointer userdata);
/* After each refresh of the host: verdicts may have changed. A HostStateChanged. */
void guests_judge(gpointer guests);
/* Reads all of them again, when there is a connection. */
void guests_refresh(Guests *guests);
/* Adds what carrying @plan out would mean for those that are known (guest-impact.h), and "unknown"
 * for the host when it may mean something for others: there is a libvirt, which has not told its
 * guests. */
void guests_foresee(const Guests *guests, const Plan *plan, GPtrArray *impact);

/* All of these end in LibvirtUnavailable, or TimedOut when libvirt has not answered in time.
 * Signals go out before the answer. guests_look() looks at the guest of that name or UUID
 * (NoSuchGuest), or, @name NULL, at what can have changed of any without an event. */
void guests_look(Guests *guests, const GuestWaiter *waiter, const char *name);
/* KVM's counters of the guests of these UUIDs (char*). */
void guests_count(Guests *guests, const GuestWaiter *waiter, GPtrArray *uuids);
/* What @edit comes to; changes nothing. The errors are those of hypervisor.h. @surveyed: whoever
 * asks has had all of them looked at a moment ago, so that what the look would tell is not asked
 * again. */
void guests_plan(Guests *guests, const GuestWaiter *waiter, const char *uuid, const GuestEdit *edit, bool surveyed);
/* The same, and where it changes anything it is carried out at once; a plan that was made is told
 * with an error, too. The end is as of guests_define(). */
void guests_edit(Guests *guests, const GuestWaiter *waiter, const char *uuid, const GuestEdit *edit, bool surveyed);
/* Carries it out; takes @plan over. After TimedOut it is not begun any more; what was begun may
 * still be done, as GuestFound says. */
void guests_define(Guests *guests, const GuestWaiter *waiter, GuestPlan *plan);
/* Answers @call with those that are known: see guest-listing.h. */
void guests_list(Guests *guests, Call *call);
/* An administrator wants them shown only to those who may read details. */
bool guests_are_hidden(const Guests *guests);
/* How many are not shown, as there are too many: see object.h. */
unsigned guests_left_out(const Guests *guests);
/* As guest_table_names(). */
GHashTable *guests_names(const Guests *guests);
/* As guest_table_find(). */
const GuestFacts *guests_find(const Guests *guests, const char *name_or_uuid);
/* As guest_table_unasked(). */
GPtrArray *guests_unasked(const Guests *guests);
/* Those that run on KVM, as far as is known: as guest_table_running(). */
GHashTable *guests_running(const Guests *guests);
/* Which holders of KVM are libvirt's and go by themselves, as far as is known. */
const Passing *guests_passing(const Guests *guests);
/* What verdicts are held against; stays the guests'. */
const GuestHost *guests_host(const Guests *guests);
