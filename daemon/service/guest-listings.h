/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Answers of ListGuests, which are made in pieces: others are answered in between, however many
 * guests there are. What is answered is one edition of the table, the last one. */

#include <systemd/sd-event.h>

#include "call.h"
#include "guest-table.h"

typedef struct GuestListings GuestListings;

/* NULL when there is no memory for it. */
GuestListings *guest_listings_new(sd_event *event, const GuestTable *table);
/* Calls that are not answered yet are dropped. */
void guest_listings_free(GuestListings *listings);
/* Answers @call: the guests in the order of their names; when some have no object, or are too many
 * for one message, a last row "/" whose name is their number. */
void guest_listings_add(GuestListings *listings, Call *call);
