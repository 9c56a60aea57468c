/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a change of the host means for its guests: the same rules (guest-verdict.h), asked about the
 * host of now and about the one that the change leads to. Pure. */

#include "guest-facts.h"
#include "guest-host.h"
#include "plan.h"

/* The host once @plan is in effect, as far as guests are concerned. */
GuestHost guest_host_after(const GuestHost *now, const Plan *plan);
/* Adds to @impact (Impact*) what a guest loses: "fails-to-start", "loses-nested", "saved-state".
 * Nothing when it is none the worse. */
void guest_impact(const GuestFacts *facts, const GuestHost *now, const GuestHost *then, GPtrArray *impact);
