/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two verdicts are compared. What makes a verdict is guest-verdict.c's. */

#include "guest-impact.h"
#include "guest-verdict.h"

/* The normalised value that the plan leads to; NULL when it is not about that. */
static const char *value_after(const Plan *plan, const char *name) {
        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *value = g_ptr_array_index(plan->values, i);
                if (g_strcmp0(value->module, plan->vendor) == 0 && g_str_equal(value->name, name))
                        return value->after;
        }
        return NULL;
}

GuestHost guest_host_after(const GuestHost *now, const Plan *plan) {
        const bool amd = g_str_equal(now->vendor, "amd");
        const char *nested = value_after(plan, "nested"), *paging = value_after(plan, amd ? "npt" : "ept");
        GuestHost then = *now;

        if (plan->nested_off || g_strcmp0(nested, "0") == 0)
                then.nested = "off";
        else if (g_strcmp0(nested, "1") == 0)
                then.nested = "on";
        if (paging)
                then.mmu = g_str_equal(paging, "0") ? "shadow" : "tdp";
        return then;
}

static void add(GPtrArray *impact, const GuestFacts *facts, const char *kind, char *message) {
        Impact *one = g_new(Impact, 1);

        *one = (Impact) {.subject = g_strdup(facts->name), .kind = kind, .message = message};
        g_ptr_array_add(impact, one);
}

static char *say_saved(const GuestFacts *facts, const GuestVerdict *after) {
        return g_strdup_printf("%s may no longer start from its managed save. %s To give the save up: virsh "
                               "managedsave-remove %s",
                               facts->name, after->start_reason, facts->uuid);
}

static void add_start(GPtrArray *impact, const GuestFacts *facts, const GuestVerdict *before,
                      const GuestVerdict *after) {
        const bool saved = !facts->active && facts->managed_save;
        const bool fails = g_str_equal(after->next_start, "fails") && !g_str_equal(before->next_start, "fails");
        const bool could = g_str_equal(before->next_start, "yes");

        if (saved && (fails || (could && g_str_equal(after->next_start, "unknown"))))
                add(impact, facts, "saved-state", say_saved(facts, after));
        else if (fails)
                add(impact, facts, "fails-to-start",
                    g_strdup_printf("%s will not start. %s", facts->name, after->start_reason));
        else if (could && g_str_equal(after->next_start, "no"))
                add(impact, facts, "loses-nested",
                    g_strdup_printf("%s starts, but can no longer run guests. %s", facts->name, after->start_reason));
}

/* A snapshot with memory in it needs the CPU that it was made with. */
static void add_snapshots(GPtrArray *impact, const GuestFacts *facts, const GuestHost *then) {
        g_autoptr(GString) names = g_string_new(NULL);

        for (unsigned i = 0; facts->snapshots && i < facts->snapshots->len; i++) {
                const GuestSnapshot *snapshot = g_ptr_array_index(facts->snapshots, i);
                if (guest_cpu_can_nest(&snapshot->cpu, then->vendor))
                        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", snapshot->name);
        }
        if (names->len == 0)
                return;
        add(impact, facts, "saved-state",
            g_strdup_printf("%s was given %s when these snapshots were made, and while nested is off it can't go back "
                            "to "
                            "those that hold its memory: %s",
                            facts->name, guest_feature(then->vendor), names->str));
}

void guest_impact(const GuestFacts *facts, const GuestHost *now, const GuestHost *then, GPtrArray *impact) {
        g_autoptr(GuestVerdict) before = guest_verdict_new(facts, now), after = guest_verdict_new(facts, then);
        const bool goes_off = g_strcmp0(now->nested, "on") == 0 && g_strcmp0(then->nested, "off") == 0;

        add_start(impact, facts, before, after);
        if (goes_off && g_strcmp0(facts->type, "kvm") == 0 && guest_feature(then->vendor))
                add_snapshots(impact, facts, then);
}
