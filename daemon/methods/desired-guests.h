/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which guests the desired state is about, and what each of them is to become. */

#include "desired.h"
#include "guests-result.h"

/* Of @names (name -> UUID) those of which it says anything, into @targets (guest-targets.h), with
 * all that it says: what stands below [Guest NAME] or [Guest UUID] wins over [Guests]. What it says
 * of a guest that is not here adds to @notes (char*). */
void desired_guests(const Desired *desired, GHashTable *names, GPtrArray *targets, GPtrArray *notes);
