/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules of the next start. Each returns the verdict and says why, or leaves it to the next one;
 * the facts are never changed. */

#include "guest-compared.h"
#include "guest-model.h"
#include "guest-start.h"

static bool is(const char *word, const char *other) {
        return g_strcmp0(word, other) == 0;
}

static const char *rule_start_without_kvm(Judge *judge) {
        if (judge->host->live)
                return NULL;
        return judge_because(judge, "fails", "KVM is not there: see nestvirtctl check.");
}

static const char *rule_start_launch(Judge *judge) {
        g_autofree char *why = guest_launch_forbids(judge->cpu->launch);

        return why ? judge_because(judge, "no", "%s", why) : NULL;
}

/* libvirt compares and starts by <cpu>, QEMU makes another CPU. */
static const char *rule_start_argument(Judge *judge) {
        if (!*judge->cpu->argument)
                return NULL;
        return judge_because(judge, "unknown",
                             "Its <qemu:commandline> has %s, so that QEMU gives it another CPU than <cpu> says.",
                             is(judge->cpu->argument, "-cpu") ? "a -cpu, of which QEMU takes the last one"
                                                              : "a -global for the CPU");
}

/* It is VMX's, and without that KVM does not know it (arch/x86/kvm/x86.c,
 * KVM_CAP_HYPERV_ENLIGHTENED_VMCS): QEMU ends with "Hyper-V enlightened VMCS (hv-evmcs) is not
 * supported by kernel" (target/i386/kvm/kvm.c, hyperv_init_vcpu(); tried with 7.2 and 11.1). */
static const char *rule_start_evmcs(Judge *judge) {
        if (!is(judge->cpu->hyperv, "evmcs") || !is(judge->host->vendor, "amd"))
                return NULL;
        return judge_because(
                        judge, "fails",
                        "It asks for the enlightenment evmcs (<hyperv>), which is there on Intel's CPUs alone: QEMU "
                        "does not start.");
}

static const char *rule_start_forbid(Judge *judge) {
        const Comparison *comparison = guest_compared(judge);

        if (guest_cpu_wish(judge->cpu, judge->host->vendor) != WISH_FORBID)
                return NULL;
        if (!guest_cpu_is_compared(judge->cpu))
                return judge_because(
                                judge, "no",
                                "It forbids %s, but with check='none' libvirt compares nothing, and takes it away.",
                                judge->feature);
        if (!judge->host->cpu_has)
                return judge_because(judge, "no", "It forbids %s, which this CPU has not.", judge->feature);
        if (comparison && comparison->result == COMPARISON_UNKNOWN)
                return judge_because(judge, "no", "It forbids %s.", judge->feature);
        return judge_because(judge, "fails",
                             "It forbids %s (policy='forbid'), and libvirt does not start it on a CPU that has it; "
                             "policy='disable' takes it away without that.",
                             judge->feature);
}

static const char *rule_start_does_without(Judge *judge) {
        if (guest_cpu_wish(judge->cpu, judge->host->vendor) != WISH_NO)
                return NULL;
        if (is(judge->cpu->policy, "disable"))
                return judge_because(judge, "no", "Its definition takes %s away.", judge->feature);
        if (!*judge->cpu->mode)
                return judge_because(judge, "no", "Its definition names no CPU, and QEMU's default has no %s.",
                                     judge->feature);
        return judge_because(judge, "no", "Its CPU model %s brings no %s, and none is asked for.", judge->cpu->model,
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
        if (is(cpu->check, "none") || (guest_cpu_passes_through(cpu) && !is(cpu->check, "full")))
                return NULL;
        return judge_because(judge, "fails", "%s%s needs %s, which only %s's CPUs have: libvirt does not start it.",
                             model ? "Its CPU model " : "It", model ? cpu->model : "", intel ? "svm" : "vmx",
                             intel ? "AMD" : "Intel");
}

/* The CPU itself lacks it, or its firmware has switched it off. */
static const char *rule_start_cpu_lacks(Judge *judge) {
        const Wish wish = guest_cpu_wish(judge->cpu, judge->host->vendor);

        if (judge->host->cpu_has)
                return NULL;
        if ((wish == WISH_MODEL || wish == WISH_REQUIRE) && !guest_cpu_passes_through(judge->cpu) &&
            !is(judge->cpu->check, "none"))
                return judge_because(judge, "fails", "It needs %s, which this CPU has not.", judge->feature);
        return judge_because(judge, "no", "This CPU has no %s.", judge->feature);
}

static const char *rule_start_host_off(Judge *judge) {
        const Wish wish = guest_cpu_wish(judge->cpu, judge->host->vendor);
        const Comparison *comparison = guest_compared(judge);

        if (!is(judge->host->nested, "off"))
                return NULL;
        if (is(judge->cpu->policy, "require") && comparison && comparison->exact)
                return judge_because(judge, "fails",
                                     "It requires %s, which this host does not give while nested is off, and libvirt "
                                     "holds its model %s against that alone.",
                                     judge->feature, judge->cpu->model);
        if ((wish == WISH_REQUIRE || wish == WISH_MODEL) && is(judge->cpu->check, "full"))
                return judge_because(
                                judge, "fails",
                                "It requires %s with check='full', which this host does not give while nested is off.",
                                judge->feature);
        if (wish == WISH_REQUIRE || wish == WISH_MODEL)
                return judge_because(
                                judge, "no",
                                "It asks for %s, but nested is off on this host: libvirt starts it without, and says "
                                "nothing.",
                                judge->feature);
        return judge_because(judge, "no", "nested is off on this host.");
}

/* What libvirt has written after a start is not asked: it names what was left out. */
static const char *rule_start_left_out(Judge *judge) {
        const GuestCpu *cpu = judge->cpu;
        const bool model = guest_cpu_wish(cpu, judge->host->vendor) == WISH_MODEL;

        if (judge->started || !is(judge->host->vendor, "amd") || !(model || guest_cpu_takes_host_model(cpu)) ||
            !judge_leaves_svm_out(judge, cpu))
                return NULL;
        if (model && is(cpu->check, "full"))
                return judge_because(
                                judge, "fails",
                                "Its CPU model %s has svm, which QEMU leaves out under KVM unless it is named; with "
                                "check='full' libvirt then ends it.",
                                cpu->model);
        return judge_because(judge, "no",
                             "%s%s has svm to libvirt, but QEMU leaves it out under KVM unless it is named: it takes "
                             "policy='require' for svm.",
                             model ? "Its CPU model " : "The model that libvirt takes for the host",
                             model ? cpu->model : "");
}

static const char *rule_start_host_on(Judge *judge) {
        if (!is(judge->host->nested, "on"))
                return NULL;
        return judge_because(judge, "yes", "Its CPU has %s, and nested is on on this host.", judge->feature);
}

static const char *rule_start_unknown(Judge *judge) {
        return judge_because(judge, "unknown", "It can't be told whether this host can nest (%s).",
                             judge->host->nested);
}

/* Of a CPU that libvirt lets start. */
static const char *judge_started(Judge *judge) {
        const char *verdict;

        if ((verdict = rule_start_forbid(judge)) || (verdict = rule_start_does_without(judge)) ||
            (verdict = rule_start_cpu_lacks(judge)) || (verdict = rule_start_host_off(judge)) ||
            (verdict = rule_start_left_out(judge)) || (verdict = rule_start_host_on(judge)))
                return verdict;
        return rule_start_unknown(judge);
}

static const char *judge_cpu(Judge *judge, const GuestCpu *cpu) {
        const char *verdict;

        judge->cpu = cpu;
        if ((verdict = judge_kind(judge)) || (verdict = rule_start_without_kvm(judge)) ||
            (verdict = guest_compared_refuses(judge)) || (verdict = rule_start_evmcs(judge)) ||
            (verdict = rule_start_launch(judge)) || (verdict = rule_start_argument(judge)) ||
            (verdict = rule_start_other_vendor(judge)))
                return verdict;
        return guest_compared_doubts(judge, judge_started(judge));
}

/* A start from a save brings the save's CPU, and needs all that it had. */
static const char *judge_saved(Judge *judge) {
        const GuestCpu *saved = &judge->facts->saved;
        const bool off = is(judge->host->nested, "off");

        (void) judge_because(judge, "", "The next start brings it back from its managed save, with the CPU of then.");
        if (!saved->mode)
                return judge_because(judge, "unknown", "What CPU that is could not be read.");
        if (*saved->argument)
                return judge_cpu(judge, saved);
        if (off && guest_cpu_passes_through(saved))
                return judge_because(
                                judge, "unknown",
                                "That was the host's as it was then, and whether that had %s is not written anywhere.",
                                judge->feature);
        if (off && guest_cpu_names_feature(saved, judge->host->vendor))
                return judge_because(judge, "fails", "That CPU had %s, and nested is off on this host.",
                                     judge->feature);
        judge->started = true;
        return judge_cpu(judge, saved);
}

const char *guest_start_judge(Judge *judge) {
        const GuestFacts *f = judge->facts;

        if (!f->persistent)
                return judge_because(judge, "no", "It is transient: when it ends, it is gone.");
        if (f->untold && !*f->type)
                return judge_kind(judge);
        if (!f->defined.mode)
                return judge_because(judge, "unknown", "Its definition could not be read.");
        if (!f->active && f->managed_save && judge->feature)
                return judge_saved(judge);
        return judge_cpu(judge, &f->defined);
}
