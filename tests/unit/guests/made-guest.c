/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words in, facts out. */

#include "made-guest.h"

GuestCpu made_cpu(const char *text) {
        GuestCpu cpu = guest_cpu_empty();
        const char **fields[] = {&cpu.mode,       &cpu.model,        &cpu.policy,   &cpu.check,
                                 &cpu.mmu_policy, &cpu.other_policy, &cpu.argument, &cpu.launch,
                                 &cpu.match,      &cpu.hyperv,       &cpu.less};

        if (!text || g_str_equal(text, "?"))
                return (GuestCpu) {};
        g_auto(GStrv) words = g_strsplit(text, " ", -1);
        g_assert_cmpuint(g_strv_length(words), <=, G_N_ELEMENTS(fields));
        for (unsigned i = 0; words[i]; i++)
                if (!g_str_equal(words[i], "-"))
                        *fields[i] = g_intern_string(words[i]);
        return cpu;
}

GuestFacts *made_guest(const char *defined, const char *live, const char *saved) {
        GuestFacts *facts = guest_facts_new();

        facts->name = g_strdup("one");
        facts->uuid = g_strdup("3b5b08e4-3dca-4ff9-9a1d-40389758d081");
        facts->active = live;
        facts->persistent = true;
        facts->type = "kvm";
        facts->arch = "x86_64";
        facts->machine = "pc-q35-7.2";
        facts->defined = made_cpu(defined);
        facts->live = made_cpu(live);
        facts->managed_save = saved;
        facts->saved = made_cpu(saved);
        return facts;
}

void made_snapshot(GuestFacts *facts, const char *name, const char *cpu) {
        GuestSnapshot *snapshot = g_new(GuestSnapshot, 1);

        *snapshot = (GuestSnapshot) {.name = g_strdup(name), .cpu = made_cpu(cpu)};
        if (!facts->snapshots)
                facts->snapshots = g_ptr_array_new_with_free_func((GDestroyNotify) guest_snapshot_free);
        g_ptr_array_add(facts->snapshots, snapshot);
}
