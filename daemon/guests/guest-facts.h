/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of a guest, as whoever runs it has told: facts that the rules judge, and that no
 * rule changes. */

#include <glib.h>
#include <stdbool.h>

#include "comparison.h"
#include "guest-cpu.h"

typedef struct GuestSnapshot {
        char *name;
        GuestCpu cpu;
} GuestSnapshot;

typedef struct GuestFacts {
        char *name, *uuid; /* the UUID in lower case with dashes */
        bool active, persistent;
        /* of a guest that runs: its QEMU does not answer, and until it does libvirt tells no
         * definition: type, arch, machine, defined and live are not known */
        bool untold;
        bool windows;                      /* the definition says, or lets one think, that it is for Windows */
        const char *type, *arch, *machine; /* "kvm", "qemu", …; "x86_64", …; "pc-q35-7.2", … */
        const char *emulator;              /* the path of QEMU, "" when none is named */
        GuestCpu defined;                  /* of the persistent definition; of the running guest when there is none */
        GuestCpu live;                     /* of the running guest */
        /* what of the former libvirt would compare with the host, until it is asked, and what it
         * said then; NULL: nothing */
        CpuQuestion *question;
        Comparison *comparison;
        bool managed_save;
        GuestCpu saved;       /* of the managed save */
        GPtrArray *snapshots; /* GuestSnapshot*; NULL: none */
        /* guests' entries of all virtual CPUs since the start; -1 when the kernel or QEMU does
         * not tell, or has not yet */
        gint64 nested_run;
        gint64 guest_mode; /* virtual CPUs that run a guest of the guest right now; -1 likewise */
        /* the words of the definitions above: with the guest they go, as a definition may name
         * what it likes, and another thing each time; NULL before the first */
        GStringChunk *words;
} GuestFacts;

GuestFacts *guest_facts_new(void);
/* Where the words of its definitions are put. */
GStringChunk *guest_facts_words(GuestFacts *facts);
/* A copy of @word among them. */
const char *guest_facts_keep(GuestFacts *facts, const char *word);
/* Only what it has run. */
void guest_facts_take_runs(GuestFacts *facts, const GuestFacts *from);
/* What @facts are untold of is as it was known @before. */
void guest_facts_take_told(GuestFacts *facts, const GuestFacts *before);
void guest_facts_free(GuestFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestFacts, guest_facts_free)
void guest_snapshot_free(GuestSnapshot *snapshot);
