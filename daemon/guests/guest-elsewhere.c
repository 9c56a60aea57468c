/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Rules, one after the other: what the guest has, what the hosts offer, and then which of the
 * differences between these the guest has to do with. */

#include "guest-elsewhere.h"
#include "guest-verdict.h"

typedef struct Move {
        const GuestFacts *facts;
        const GuestHost *host;
        const GuestCpu *cpu; /* of now, or that of the next start */
        const char *has;     /* whether it has vmx or svm: "yes" "no" "fails" "unknown" */
        const char *why;     /* that is so */
        GPtrArray *found;    /* AbilityDifference*: what that host lacks */
} Move;

static bool is(const char *word, const char *other) {
        return g_strcmp0(word, other) == 0;
}

/* Takes @found over, which may be NULL. */
static GuestElsewhere *say(const char *verdict, char *reason, GPtrArray *found) {
        GuestElsewhere *elsewhere = g_new(GuestElsewhere, 1);

        *elsewhere = (GuestElsewhere) {.verdict = verdict, .reason = reason, .differences = found ?: g_ptr_array_new()};
        return elsewhere;
}

static const char *mmu_feature(const Move *move) {
        return is(move->host->vendor, "amd") ? "npt" : "vmx-ept";
}

/* Its definition takes that away, so that it does not miss it. */
static bool does_without(const Move *move, const AbilityDifference *difference) {
        return is(difference->feature, mmu_feature(move)) &&
               (is(move->cpu->mmu_policy, "disable") || is(move->cpu->mmu_policy, "forbid"));
}

/* It has that, whatever its model is: it can nest, or it is named. */
static bool surely_has(const Move *move, const AbilityDifference *difference) {
        if (difference->key == ABILITY_VMX || difference->key == ABILITY_SVM)
                return true;
        return is(move->cpu->argument, "") && is(move->cpu->mmu_policy, "require") &&
               is(difference->feature, mmu_feature(move));
}

/* All that is offered, and nothing of it taken away. */
static bool has_all(const Move *move) {
        return guest_cpu_passes_through(move->cpu) && is(move->cpu->less, "") && is(move->cpu->argument, "");
}

static void drop(Move *move, bool (*drops)(const Move *move, const AbilityDifference *difference)) {
        for (unsigned i = move->found->len; i > 0; i--)
                if (drops(move, g_ptr_array_index(move->found, i - 1)))
                        g_ptr_array_remove_index(move->found, i - 1);
}

static bool may_lack(const Move *move, const AbilityDifference *difference) {
        return !surely_has(move, difference);
}

static bool surely_has_any(const Move *move) {
        for (unsigned i = 0; i < move->found->len; i++)
                if (surely_has(move, g_ptr_array_index(move->found, i)))
                        return true;
        return false;
}

static char *names(const GPtrArray *found) {
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < found->len; i++) {
                const AbilityDifference *difference = g_ptr_array_index(found, i);
                g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", difference->feature);
        }
        return g_string_free(text, FALSE);
}

/* That host lacks something. */
static GuestElsewhere *judge_lacking(Move *move) {
        const char *it = move->facts->active ? "It has" : "Started here, it has";
        g_autofree char *lacking = NULL;

        drop(move, does_without);
        if (move->found->len == 0)
                return say("accepts",
                           g_strdup_printf("That host offers all that this one does but %s, which its definition "
                                           "takes away.",
                                           mmu_feature(move)),
                           NULL);
        if (!is(move->has, "yes"))
                return say("unknown",
                           g_strdup_printf("That host does not offer all that this one does, and what it has of that "
                                           "is not known. %s",
                                           move->why),
                           g_steal_pointer(&move->found));
        if (has_all(move))
                return say("refuses",
                           g_strdup_printf("%s the CPU of this host as it is, and that host does not offer all that "
                                           "this one does.%s",
                                           it,
                                           move->facts->active ? "" : " Started there, it has what is offered there."),
                           g_steal_pointer(&move->found));
        if (!surely_has_any(move))
                return say("unknown",
                           g_strdup("That host does not offer all that this one does. Which of it its CPU has is up "
                                    "to its model and to QEMU: it is accepted if it has nothing of what is missing."),
                           g_steal_pointer(&move->found));
        drop(move, may_lack);
        lacking = names(move->found);
        return say("refuses", g_strdup_printf("%s %s, which that host does not offer.", it, lacking),
                   g_steal_pointer(&move->found));
}

static GuestElsewhere *judge_hosts(Move *move, const Ability *here, const Ability *there) {
        /* What it has it was given before. */
        if (!ability_offers(here))
                return say("unknown",
                           g_strdup_printf("This host offers nothing to guests with guests now, and what it has from "
                                           "before is not known. %s",
                                           move->why),
                           NULL);
        switch (ability_compare(here, there, &move->found)) {
        case ABILITY_IDENTICAL:
                return say("accepts", g_strdup("Both hosts offer the very same to guests with guests."), NULL);
        case ABILITY_ACCEPTS:
                return say("accepts", g_strdup("That host offers all that this one does to guests with guests."), NULL);
        case ABILITY_REFUSES:
                return judge_lacking(move);
        case ABILITY_UNKNOWN:
        default:
                return say("unknown",
                           g_strdup("One of the hosts does not tell all that it offers to guests with guests, or they "
                                    "are of two architectures."),
                           NULL);
        }
}

GuestElsewhere *guest_elsewhere_new(const GuestFacts *facts, const GuestHost *host, const Ability *here,
                                    const Ability *there) {
        g_autoptr(GuestVerdict) verdict = guest_verdict_new(facts, host);
        Move move = {
                        .facts = facts,
                        .host = host,
                        .cpu = facts->active         ? &facts->live
                               : facts->managed_save ? &facts->saved
                                                     : &facts->defined,
                        .has = facts->active ? verdict->now : verdict->next_start,
                        .why = facts->active ? verdict->reason : verdict->start_reason,
        };
        GuestElsewhere *elsewhere;

        if (is(move.has, "no"))
                return say("accepts",
                           g_strdup_printf("%s have no guests of its own, so that what is offered to such guests is "
                                           "nothing to it.",
                                           facts->active ? "It can" : "Started here, it can"),
                           NULL);
        if (is(move.has, "fails"))
                return say("unknown", g_strdup_printf("It does not start here. %s", verdict->start_reason), NULL);
        if (!here)
                return NULL;
        elsewhere = judge_hosts(&move, here, there);
        g_clear_pointer(&move.found, g_ptr_array_unref);
        return elsewhere;
}

void guest_elsewhere_free(GuestElsewhere *elsewhere) {
        if (!elsewhere)
                return;
        g_free(elsewhere->reason);
        g_ptr_array_unref(elsewhere->differences);
        g_free(elsewhere);
}
