/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the rules of the next start (guest-start.c) and those of now (guest-verdict.c) share, for
 * these two alone: what is judged, and the sentences that say why. */

#include <glib.h>
#include <stdbool.h>

#include "guest-facts.h"
#include "guest-host.h"

typedef struct Judge {
        const GuestFacts *facts;
        const GuestHost *host;
        const GuestCpu *cpu; /* the one that is judged */
        bool started;        /* libvirt has written it after a start: what is left in it was given */
        const char *feature;
        GString *why;
} Judge;

/* Returns @verdict, and adds a sentence to why it is so. */
const char *judge_because(Judge *judge, const char *verdict, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* What no CPU definition can change: NULL when it is a guest that could. */
const char *judge_kind(Judge *judge);
/* Of a model of AMD's: QEMU leaves svm out of it. */
bool judge_leaves_svm_out(const Judge *judge, const GuestCpu *cpu);
