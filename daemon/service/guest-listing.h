/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An answer of ListGuests, which is made in pieces. What is answered is one edition of the table,
 * the last one. */

#include "call.h"
#include "guest-table.h"
#include "pieces.h"

/* Answers @call: the guests of @table, which is there as long as @pieces, in the order of their
 * names; when some have no object, or are too many for one message, a last row "/" whose name is
 * their number. */
void guest_listing_begin(Pieces *pieces, const GuestTable *table, Call *call);
