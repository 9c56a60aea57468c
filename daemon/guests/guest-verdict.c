/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verdict as a whole: the rules of what a running guest can do now, and what that and the next
 * start, whose rules are guest-start.c's, come to together. The facts are never changed. */

#include "guest-model.h"
#include "guest-start.h"
#include "guest-verdict.h"

static bool is(const char *word, const char *other) {
        return g_strcmp0(word, other) == 0;
}

/* Of a running guest. Live XML is believed where libvirt has written into it what QEMU really gave,
 * which is all but host-passthrough. */
static const char *judge_live(Judge *judge) {
        const GuestCpu *live = &judge->facts->live;
        const Wish wish = live->mode ? guest_cpu_wish(live, judge->host->vendor) : WISH_NO;
        g_autofree char *why = NULL;

        if (judge->facts->nested_run > 0)
                return judge_because(judge, "yes", "It has run guests of its own.");
        if (!live->mode)
                return judge_because(judge, "unknown", "What it runs with could not be read.");
        if ((why = guest_launch_forbids(live->launch)))
                return judge_because(judge, "no", "%s", why);
        if (!*live->argument && (wish == WISH_NO || wish == WISH_FORBID))
                return judge_because(judge, "no", "It runs without %s.", judge->feature);
        if (is(judge->host->nested, "off") && judge->host->kvm_kept)
                return judge_because(judge, "unknown",
                                     "nested is off on this host, but kvm stayed loaded when it was switched off.");
        if (is(judge->host->nested, "off") || !judge->host->cpu_has)
                return judge_because(judge, "no", "It was started on a host that does not nest%s.",
                                     guest_cpu_names_feature(live, judge->host->vendor) ? ", whatever its XML says"
                                                                                        : "");
        if (*live->argument)
                return judge_because(judge, "unknown",
                                     "QEMU was given %s beside what libvirt asks it for, and what CPU that came to is "
                                     "not written anywhere.",
                                     is(live->argument, "-cpu") ? "a -cpu" : "a -global for the CPU");
        if (wish == WISH_MODEL && judge_leaves_svm_out(judge, live) && is(live->check, "none"))
                return judge_because(
                                judge, "no",
                                "Its CPU model %s has svm to libvirt, but QEMU has left it out, as it is not named.",
                                live->model);
        if (is(judge->host->nested, "on"))
                return judge_because(judge, "yes", "It was started with %s on a host that can nest.", judge->feature);
        return judge_because(judge, "unknown", "It can't be told whether this host can nest (%s).",
                             judge->host->nested);
}

static const char *judge_now(Judge *judge) {
        const char *verdict;

        if (!judge->facts->active)
                return "";
        verdict = judge_kind(judge);
        return verdict ?: judge_live(judge);
}

static const char *judge_using(const Judge *judge, const char *now) {
        const GuestFacts *f = judge->facts;

        if (!f->active)
                return "";
        if (f->guest_mode > 0)
                return "yes";
        if (f->nested_run > 0)
                return "has";
        if (f->nested_run == 0 || is(now, "no"))
                return "no";
        return "unknown";
}

/* How the memory of its own guests is translated, at best: whether the guest makes use of it can't
 * be seen from outside. */
static const char *judge_mmu(const Judge *judge, const char *can) {
        const GuestCpu *cpu = judge->facts->active ? &judge->facts->live : &judge->facts->defined;
        const bool amd = is(judge->host->vendor, "amd");
        const bool without = is(cpu->mmu_policy, "disable") || is(cpu->mmu_policy, "forbid");

        if (!is(can, "yes"))
                return "";
        if (is(judge->host->mmu, "shadow"))
                return "shadow-on-shadow";
        if (!is(judge->host->mmu, "tdp"))
                return "";
        if (without)
                return amd ? "shadow-on-npt" : "shadow-on-ept";
        return amd ? "npt-on-npt" : "ept-on-ept";
}

static bool judge_restart(const Judge *judge, const GuestVerdict *verdict) {
        const GuestFacts *f = judge->facts;

        if (!f->active || !f->persistent)
                return false;
        if (guest_cpu_modes_differ(&f->live, &f->defined))
                return true;
        if (is(verdict->now, "unknown") || is(verdict->next_start, "unknown") || !judge->feature)
                return false;
        return is(verdict->now, "yes") != is(verdict->next_start, "yes");
}

static char *judge_saved_state(const Judge *judge) {
        const GuestFacts *f = judge->facts;
        g_autoptr(GString) text = g_string_new(NULL);
        unsigned n = 0;

        if (f->managed_save && guest_cpus_differ(&f->saved, &f->defined, judge->host->vendor))
                g_string_append(text, "managed save");
        for (unsigned i = 0; f->snapshots && i < f->snapshots->len; i++) {
                const GuestSnapshot *snapshot = g_ptr_array_index(f->snapshots, i);
                if (!guest_cpus_differ(&snapshot->cpu, &f->defined, judge->host->vendor))
                        continue;
                g_string_append_printf(text, "%s%s",
                                       n > 0           ? ", "
                                       : text->len > 0 ? "; snapshots: "
                                                       : "snapshots: ",
                                       snapshot->name);
                n++;
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}

GuestVerdict *guest_verdict_new(const GuestFacts *facts, const GuestHost *host) {
        GuestVerdict *verdict = g_new0(GuestVerdict, 1);
        Judge judge = {.facts = facts, .host = host, .feature = guest_feature(host->vendor), .why = g_string_new(NULL)};
        g_autoptr(GString) now = NULL;

        verdict->next_start = guest_start_judge(&judge);
        now = g_steal_pointer(&judge.why);
        judge.why = g_string_new(NULL);
        verdict->now = judge_now(&judge);
        verdict->using = judge_using(&judge, verdict->now);
        verdict->mmu = judge_mmu(&judge, facts->active ? verdict->now : verdict->next_start);
        verdict->restart_needed = judge_restart(&judge, verdict);
        verdict->saved_state = judge_saved_state(&judge);
        verdict->start_reason = g_strdup(now->str);
        if (judge.why->len > 0 && !g_str_equal(judge.why->str, now->str))
                verdict->reason = g_strdup_printf("Now: %s Next start: %s", judge.why->str, now->str);
        else
                verdict->reason = g_strdup(now->str);
        g_string_free(judge.why, TRUE);
        return verdict;
}

void guest_verdict_free(GuestVerdict *verdict) {
        if (!verdict)
                return;
        g_free(verdict->saved_state);
        g_free(verdict->start_reason);
        g_free(verdict->reason);
        g_free(verdict);
}
