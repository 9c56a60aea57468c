/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is known of a guest, before anything is: made and freed. No rule about a guest is here. */

#include "guest-facts.h"

GuestFacts *guest_facts_new(void) {
        GuestFacts *facts = g_new0(GuestFacts, 1);

        facts->type = facts->arch = facts->machine = g_intern_static_string("");
        facts->nested_run = -1;
        facts->guest_mode = -1;
        return facts;
}

void guest_facts_take_runs(GuestFacts *facts, const GuestFacts *from) {
        facts->nested_run = from->nested_run;
        facts->guest_mode = from->guest_mode;
}

void guest_facts_keep(GuestFacts *facts, const GuestFacts *before) {
        facts->type = before->type;
        facts->arch = before->arch;
        facts->machine = before->machine;
        facts->defined = before->defined;
        if (before->active)
                facts->live = before->live;
}

void guest_snapshot_free(GuestSnapshot *snapshot) {
        if (!snapshot)
                return;
        g_free(snapshot->name);
        g_free(snapshot);
}

void guest_facts_free(GuestFacts *facts) {
        if (!facts)
                return;
        g_free(facts->name);
        g_free(facts->uuid);
        g_clear_pointer(&facts->snapshots, g_ptr_array_unref);
        g_free(facts);
}
