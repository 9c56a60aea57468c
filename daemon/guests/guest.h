/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be said of a guest's nesting: rules over facts that others have gathered. Pure; it knows
 * no libvirt and no bus.
 *
 * How libvirt behaves was read in libvirt 9.0.0 and 11.3.0 and, where a rule rests on it, tried with 9.0.0 and QEMU 7.2:
 * - policy='require' for vmx is weak: libvirt checks it against the raw CPU, not against KVM. With nested=0 the guest starts without it
 *   (src/qemu/qemu_capabilities.c, virQEMUCapsInitHostCPUModel()), but for check='full'. So it is with svm, named or in a model.
 * - The XML of a running guest with host-passthrough says "require" whatever the guest has.
 * - A module of KVM can't be reloaded while a guest runs: the parameter of now is the one that the guest was started with.
 * - What the CPU itself has not is no wish: with svm required on Intel, or a model that has it, or vmx on AMD, libvirt refuses the start. The
 *   host's CPU passed through is compared with check='full' alone.
 * - With check='none' libvirt compares nothing, and QEMU leaves out what KVM does not give.
 * - A start with a managed save brings back the CPU of the save, whatever the definition says. */

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

/* "vmx", "svm", or NULL for a vendor without one. */
const char *guest_feature(const char *vendor);
/* It asks for vmx or svm, or takes what the host gives; false as well when @cpu could not be
 * read. */
bool guest_cpu_can_nest(const GuestCpu *cpu, const char *vendor);
GuestVerdict *guest_judge(const GuestFacts *facts, const GuestHost *host);
void guest_verdict_free(GuestVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestVerdict, guest_verdict_free)
