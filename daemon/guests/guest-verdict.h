/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be said of a guest's nesting: rules over facts that others have gathered. Pure; it knows
 * no libvirt and no bus.
 *
 * How libvirt behaves was read in libvirt 9.0.0 and 11.3.0 and, where a rule rests on it, tried
 * with 9.0.0 and QEMU 7.2; what a start comes to is in guest-start.h, which models have what in
 * guest-model.h:
 * - The XML of a running guest with host-passthrough says "require" whatever the guest has.
 * - A module of KVM can't be reloaded while a guest runs: the parameter of now is the one that the
 *   guest was started with. */

#include <glib.h>
#include <stdbool.h>

#include "guest-facts.h"
#include "guest-host.h"

/* The words of org.nestvirt1.Guest. */
typedef struct GuestVerdict {
        const char *next_start; /* "yes" "no" "fails" "unknown" */
        const char *now;        /* "yes" "no" "unknown" "" */
        const char *using;      /* "yes" "has" "no" "unknown" "" */
        const char *mmu;        /* "ept-on-ept" "shadow-on-ept" "npt-on-npt" "shadow-on-npt" "shadow-on-shadow" "" */
        bool restart_needed;
        char *saved_state;
        char *start_reason; /* why next_start is so: a sentence or several */
        char *reason;       /* of both, where they differ */
} GuestVerdict;

GuestVerdict *guest_verdict_new(const GuestFacts *facts, const GuestHost *host);
void guest_verdict_free(GuestVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestVerdict, guest_verdict_free)
