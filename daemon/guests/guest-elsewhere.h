/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a guest could go on on another host as it is here: what that host offers to guests that
 * have guests (ability.h), held against what this guest has of that. Other features of its CPU are
 * not looked at. Pure.
 *
 * What a model has of it is QEMU's (target/i386/cpu.c), and differs between its versions: it is not
 * guessed. A CPU that is the host's has all that is offered, but for what its definition takes
 * away. */

#include <glib.h>

#include "ability-compare.h"
#include "guest-facts.h"
#include "guest-host.h"

typedef struct GuestElsewhere {
        const char *verdict; /* "accepts" "refuses" "unknown" */
        char *reason;        /* sentences */
        /* AbilityDifference*: why it is refused; or, "unknown", what it must not have of these, as
         * far as that is known */
        GPtrArray *differences;
} GuestElsewhere;

/* @facts and @host: the guest and its host, which offers @here, and the other host @there. NULL:
 * @here is, and it would decide. */
GuestElsewhere *guest_elsewhere_new(const GuestFacts *facts, const GuestHost *host, const Ability *here,
                                    const Ability *there);
void guest_elsewhere_free(GuestElsewhere *elsewhere);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestElsewhere, guest_elsewhere_free)
