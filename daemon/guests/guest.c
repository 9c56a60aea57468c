/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules. Each returns the verdict and says why, or leaves it to the next one; the facts are
 * never changed. */

#include <string.h>

#include "guest-model.h"
#include "guest.h"

typedef struct Judge {
        const GuestFacts *facts;
        const GuestHost *host;
        const GuestCpu *cpu; /* the one that is judged */
        bool started;        /* libvirt has written it after a start: what is left in it was given */
        const char *feature;
        GString *why;
} Judge;

/* What a CPU definition asks for, before the host has its say. */
typedef enum Wish {
        WISH_NO,      /* it does without */
        WISH_TAKE,    /* it takes what the host gives */
        WISH_REQUIRE, /* it names the feature */
        WISH_MODEL,   /* its model has the feature, and wants all of it */
        WISH_FORBID,  /* it does not start where the CPU has the feature */
} Wish;

const char *guest_feature(const char *vendor) {
        if (g_str_equal(vendor, "intel"))
                return "vmx";
        return g_str_equal(vendor, "amd") ? "svm" : NULL;
}

static bool is(const char *word, const char *other) {
        return g_strcmp0(word, other) == 0;
}

static bool passes_through(const GuestCpu *cpu) {
        return is(cpu->mode, "host-passthrough") || is(cpu->mode, "maximum");
}

static bool follows_host(const GuestCpu *cpu) {
        return passes_through(cpu) || is(cpu->mode, "host-model");
}

static const char *G_GNUC_PRINTF(3, 4) because(Judge *judge, const char *verdict, const char *format, ...) {
        va_list args;

        if (judge->why->len > 0)
                g_string_append_c(judge->why, ' ');
        va_start(args, format);
        g_string_append_vprintf(judge->why, format, args);
        va_end(args);
        return verdict;
}

static Wish wish_of(const GuestCpu *cpu, const char *vendor) {
        if (is(cpu->policy, "disable"))
                return WISH_NO;
        if (is(cpu->policy, "forbid"))
                return WISH_FORBID;
        if (is(cpu->policy, "optional"))
                return WISH_TAKE;
        if (is(vendor, "amd") && is(cpu->mode, "custom") && guest_model_brings_svm(cpu->model))
                return WISH_MODEL;
        if (is(cpu->policy, "require") || is(cpu->policy, "force"))
                return WISH_REQUIRE;
        return follows_host(cpu) ? WISH_TAKE : WISH_NO;
}

/* Of XML that libvirt has written after a start: what is left there was given. */
static bool has_feature(const GuestCpu *cpu, const char *vendor) {
        const Wish wish = wish_of(cpu, vendor);

        return wish == WISH_REQUIRE || wish == WISH_MODEL;
}

/* Of a model of AMD's. */
static bool leaves_svm_out(const Judge *judge, const GuestCpu *cpu) {
        return !*cpu->policy && !guest_machine_keeps_svm(judge->facts->machine);
}

/* What no CPU definition can change: NULL when it is a guest that could. */
static const char *rule_kind(Judge *judge) {
        const GuestFacts *f = judge->facts;

        if (!is(f->type, "kvm"))
                return because(judge, "no", "It is a guest of type %s, which KVM does not run.", f->type);
        if (is(f->arch, "i686"))
                return because(judge, "no", "It is a 32-bit guest.");
        if (!is(f->arch, "x86_64") || !judge->feature)
                return because(judge, "unknown", "Only what x86 guests can do is known.");
        return NULL;
}

static const char *rule_start_without_kvm(Judge *judge) {
        if (judge->host->live)
                return NULL;
        return because(judge, "fails", "KVM is not there: see nestvirtctl check.");
}

static const char *rule_start_forbid(Judge *judge) {
        if (wish_of(judge->cpu, judge->host->vendor) != WISH_FORBID)
                return NULL;
        if (!judge->host->cpu_has)
                return because(judge, "no", "It forbids %s, which this CPU has not.", judge->feature);
        return because(judge, "fails",
                       "It forbids %s (policy='forbid'), and libvirt does not start it on a CPU that has it; "
                       "policy='disable' takes it away without that.",
                       judge->feature);
}

static const char *rule_start_does_without(Judge *judge) {
        if (wish_of(judge->cpu, judge->host->vendor) != WISH_NO)
                return NULL;
        if (is(judge->cpu->policy, "disable"))
                return because(judge, "no", "Its definition takes %s away.", judge->feature);
        if (!*judge->cpu->mode)
                return because(judge, "no", "Its definition names no CPU, and QEMU's default has no %s.",
                               judge->feature);
        return because(judge, "no", "Its CPU model %s brings no %s, and none is asked for.", judge->cpu->model,
                       judge->feature);
}

/* The other vendor's feature, which no CPU of this one has: named, or in the model. */
static const char *rule_start_other_vendor(Judge *judge) {
        const GuestCpu *cpu = judge->cpu;
        const bool intel = is(judge->host->vendor, "intel");
        const bool model =
                        intel && is(cpu->mode, "custom") && !*cpu->other_policy && guest_model_brings_svm(cpu->model);

        if (!model && !is(cpu->other_policy, "require"))
                return NULL;
        if (is(cpu->check, "none") || (passes_through(cpu) && !is(cpu->check, "full")))
                return NULL;
        return because(judge, "fails", "%s%s needs %s, which only %s's CPUs have: libvirt does not start it.",
                       model ? "Its CPU model " : "It", model ? cpu->model : "", intel ? "svm" : "vmx",
                       intel ? "AMD" : "Intel");
}

/* The CPU itself lacks it, or its firmware has switched it off. */
static const char *rule_start_cpu_lacks(Judge *judge) {
        const Wish wish = wish_of(judge->cpu, judge->host->vendor);

        if (judge->host->cpu_has)
                return NULL;
        if ((wish == WISH_MODEL || wish == WISH_REQUIRE) && !passes_through(judge->cpu) &&
            !is(judge->cpu->check, "none"))
                return because(judge, "fails", "It needs %s, which this CPU has not.", judge->feature);
        return because(judge, "no", "This CPU has no %s.", judge->feature);
}

static const char *rule_start_host_off(Judge *judge) {
        const Wish wish = wish_of(judge->cpu, judge->host->vendor);

        if (!is(judge->host->nested, "off"))
                return NULL;
        if ((wish == WISH_REQUIRE || wish == WISH_MODEL) && is(judge->cpu->check, "full"))
                return because(judge, "fails",
                               "It requires %s with check='full', which this host does not give while nested is off.",
                               judge->feature);
        if (wish == WISH_REQUIRE || wish == WISH_MODEL)
                return because(judge, "no",
                               "It asks for %s, but nested is off on this host: libvirt starts it without, and says "
                               "nothing.",
                               judge->feature);
        return because(judge, "no", "nested is off on this host.");
}

/* What libvirt has written after a start is not asked: it names what was left out. */
static const char *rule_start_left_out(Judge *judge) {
        const GuestCpu *cpu = judge->cpu;
        const bool model = wish_of(cpu, judge->host->vendor) == WISH_MODEL;

        if (judge->started || !is(judge->host->vendor, "amd") || !(model || is(cpu->mode, "host-model")) ||
            !leaves_svm_out(judge, cpu))
                return NULL;
        if (model && is(cpu->check, "full"))
                return because(judge, "fails",
                               "Its CPU model %s has svm, which QEMU leaves out under KVM unless it is named; with "
                               "check='full' libvirt then ends it.",
                               cpu->model);
        return because(judge, "no",
                       "%s%s has svm to libvirt, but QEMU leaves it out under KVM unless it is named: it takes "
                       "policy='require' for svm.",
                       model ? "Its CPU model " : "The model that libvirt takes for host-model",
                       model ? cpu->model : "");
}

static const char *rule_start_host_on(Judge *judge) {
        if (!is(judge->host->nested, "on"))
                return NULL;
        return because(judge, "yes", "Its CPU has %s, and nested is on on this host.", judge->feature);
}

static const char *rule_start_unknown(Judge *judge) {
        return because(judge, "unknown", "It can't be told whether this host can nest (%s).", judge->host->nested);
}

static const char *judge_cpu(Judge *judge, const GuestCpu *cpu) {
        const char *verdict;

        judge->cpu = cpu;
        if ((verdict = rule_kind(judge)) || (verdict = rule_start_without_kvm(judge)) ||
            (verdict = rule_start_other_vendor(judge)) || (verdict = rule_start_forbid(judge)) ||
            (verdict = rule_start_does_without(judge)) || (verdict = rule_start_cpu_lacks(judge)) ||
            (verdict = rule_start_host_off(judge)) || (verdict = rule_start_left_out(judge)) ||
            (verdict = rule_start_host_on(judge)))
                return verdict;
        return rule_start_unknown(judge);
}

/* A start from a save brings the save's CPU, and needs all that it had. */
static const char *judge_saved(Judge *judge) {
        const GuestCpu *saved = &judge->facts->saved;

        (void) because(judge, "", "The next start brings it back from its managed save, with the CPU of then.");
        if (!saved->mode)
                return because(judge, "unknown", "What CPU that is could not be read.");
        if (is(judge->host->nested, "off") && passes_through(saved))
                return because(judge, "unknown",
                               "That was the host's as it was then, and whether that had %s is not written anywhere.",
                               judge->feature);
        if (is(judge->host->nested, "off") && has_feature(saved, judge->host->vendor))
                return because(judge, "fails", "That CPU had %s, and nested is off on this host.", judge->feature);
        judge->started = true;
        return judge_cpu(judge, saved);
}

static const char *judge_next_start(Judge *judge) {
        const GuestFacts *f = judge->facts;

        if (!f->persistent)
                return because(judge, "no", "It is transient: when it ends, it is gone.");
        if (!f->defined.mode)
                return because(judge, "unknown", "Its definition could not be read.");
        if (!f->active && f->managed_save && judge->feature)
                return judge_saved(judge);
        return judge_cpu(judge, &f->defined);
}

/* Of a running guest. Live XML is believed where libvirt has written into it what QEMU really gave,
 * which is all but host-passthrough. */
static const char *judge_live(Judge *judge) {
        const GuestCpu *live = &judge->facts->live;
        const Wish wish = live->mode ? wish_of(live, judge->host->vendor) : WISH_NO;

        if (judge->facts->nested_run > 0)
                return because(judge, "yes", "It has run guests of its own.");
        if (!live->mode)
                return because(judge, "unknown", "What it runs with could not be read.");
        if (wish == WISH_NO || wish == WISH_FORBID)
                return because(judge, "no", "It runs without %s.", judge->feature);
        if (is(judge->host->nested, "off") && judge->host->kvm_kept)
                return because(judge, "unknown",
                               "nested is off on this host, but kvm stayed loaded when it was switched off.");
        if (is(judge->host->nested, "off") || !judge->host->cpu_has)
                return because(judge, "no", "It was started on a host that does not nest%s.",
                               has_feature(live, judge->host->vendor) ? ", whatever its XML says" : "");
        if (wish == WISH_MODEL && leaves_svm_out(judge, live) && is(live->check, "none"))
                return because(judge, "no",
                               "Its CPU model %s has svm to libvirt, but QEMU has left it out, as it is not named.",
                               live->model);
        if (is(judge->host->nested, "on"))
                return because(judge, "yes", "It was started with %s on a host that can nest.", judge->feature);
        return because(judge, "unknown", "It can't be told whether this host can nest (%s).", judge->host->nested);
}

static const char *judge_now(Judge *judge) {
        const char *verdict;

        if (!judge->facts->active)
                return "";
        verdict = rule_kind(judge);
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

/* A running guest never says host-model, nor nothing: it runs with what that came to. */
static bool modes_differ(const GuestCpu *live, const GuestCpu *defined) {
        const bool expanded = is(live->mode, "custom") && (is(defined->mode, "host-model") || is(defined->mode, ""));

        if (!live->mode || !defined->mode)
                return false;
        if (!expanded && !is(live->mode, defined->mode))
                return true;
        return is(live->mode, "custom") && is(defined->mode, "custom") && !is(live->model, defined->model);
}

static bool judge_restart(const Judge *judge, const GuestVerdict *verdict) {
        const GuestFacts *f = judge->facts;

        if (!f->active || !f->persistent)
                return false;
        if (modes_differ(&f->live, &f->defined))
                return true;
        if (is(verdict->now, "unknown") || is(verdict->next_start, "unknown") || !judge->feature)
                return false;
        return is(verdict->now, "yes") != is(verdict->next_start, "yes");
}

bool guest_cpu_can_nest(const GuestCpu *cpu, const char *vendor) {
        const Wish wish = cpu->mode ? wish_of(cpu, vendor) : WISH_NO;

        return wish != WISH_NO && wish != WISH_FORBID;
}

/* Two CPUs of which one can nest where the other can't, on a host that can, or that are of another
 * kind. */
static bool cpus_differ(const GuestCpu *cpu, const GuestCpu *defined, const char *vendor) {
        return cpu->mode &&
               (guest_cpu_can_nest(cpu, vendor) != guest_cpu_can_nest(defined, vendor) || modes_differ(cpu, defined));
}

static char *judge_saved_state(const Judge *judge) {
        const GuestFacts *f = judge->facts;
        g_autoptr(GString) text = g_string_new(NULL);
        unsigned n = 0;

        if (f->managed_save && cpus_differ(&f->saved, &f->defined, judge->host->vendor))
                g_string_append(text, "managed save");
        for (unsigned i = 0; f->snapshots && i < f->snapshots->len; i++) {
                const GuestSnapshot *snapshot = g_ptr_array_index(f->snapshots, i);
                if (!cpus_differ(&snapshot->cpu, &f->defined, judge->host->vendor))
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

GuestVerdict *guest_judge(const GuestFacts *facts, const GuestHost *host) {
        GuestVerdict *verdict = g_new0(GuestVerdict, 1);
        Judge judge = {.facts = facts, .host = host, .feature = guest_feature(host->vendor), .why = g_string_new(NULL)};
        g_autoptr(GString) now = NULL;

        verdict->next_start = judge_next_start(&judge);
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
