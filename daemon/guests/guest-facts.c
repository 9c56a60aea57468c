/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is known of a guest, before anything is: made and freed. No rule about a guest is here. */

#include "guest-facts.h"

/* As much as a definition and the XML of the running guest have. */
#define WORDS_SIZE 128

GuestFacts *guest_facts_new(void) {
        GuestFacts *facts = g_new0(GuestFacts, 1);

        facts->type = facts->arch = facts->machine = facts->emulator = "";
        facts->nested_run = -1;
        facts->guest_mode = -1;
        return facts;
}

GStringChunk *guest_facts_words(GuestFacts *facts) {
        if (!facts->words)
                facts->words = g_string_chunk_new(WORDS_SIZE);
        return facts->words;
}

const char *guest_facts_keep(GuestFacts *facts, const char *word) {
        return g_string_chunk_insert(guest_facts_words(facts), word);
}

void guest_facts_take_runs(GuestFacts *facts, const GuestFacts *from) {
        facts->nested_run = from->nested_run;
        facts->guest_mode = from->guest_mode;
}

static const char *keep(GuestFacts *facts, const char *word) {
        return word ? guest_facts_keep(facts, word) : NULL;
}

static GuestCpu keep_cpu(GuestFacts *facts, const GuestCpu *cpu) {
        return (GuestCpu) {
                        .mode = keep(facts, cpu->mode),
                        .model = keep(facts, cpu->model),
                        .check = keep(facts, cpu->check),
                        .policy = keep(facts, cpu->policy),
                        .other_policy = keep(facts, cpu->other_policy),
                        .mmu_policy = keep(facts, cpu->mmu_policy),
                        .argument = keep(facts, cpu->argument),
                        .launch = keep(facts, cpu->launch),
                        .match = keep(facts, cpu->match),
                        .hyperv = keep(facts, cpu->hyperv),
                        .less = keep(facts, cpu->less),
        };
}

void guest_facts_take_told(GuestFacts *facts, const GuestFacts *before) {
        facts->type = keep(facts, before->type);
        facts->arch = keep(facts, before->arch);
        facts->machine = keep(facts, before->machine);
        facts->emulator = keep(facts, before->emulator);
        facts->windows = before->windows;
        facts->defined = keep_cpu(facts, &before->defined);
        facts->comparison = before->comparison ? comparison_ref(before->comparison) : NULL;
        if (before->active)
                facts->live = keep_cpu(facts, &before->live);
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
        cpu_question_free(facts->question);
        comparison_unref(facts->comparison);
        g_clear_pointer(&facts->snapshots, g_ptr_array_unref);
        g_clear_pointer(&facts->words, g_string_chunk_free);
        g_free(facts);
}
