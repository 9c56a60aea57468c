/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is said of guests: a row for each fact that a rule rests on. */

#include <string.h>

#include "describe-guest.h"
#include "guest-model.h"
#include "guest-unasked.h"
#include "guest-verdict.h"
#include "made-guest.h"

/* A CPU as "mode model policy [check] [mmu] [the other vendor's feature] [an argument of QEMU's]
 * [launchSecurity] [match] [of Hyper-V's enlightenments]", "-" for what is not said. */
typedef struct Row {
        const char *fact;
        const char *vendor, *nested; /* NULL: "intel", "on" */
        const char *mmu;             /* NULL: "tdp" */
        bool no_kvm, no_feature, kept;
        const char *type, *arch, *machine; /* NULL: "kvm", "x86_64", "pc-q35-7.2" */
        const char *emulator;              /* NULL: none is named */
        bool transient;
        const char *defined, *live, *saved; /* NULL: not running; no managed save; "?": could not be read */
        ComparisonResult compared;          /* what libvirt says of the definition */
        const char *detail;                 /* its */
        bool exact;
        gint64 run, mode; /* what statistics say, and one more: 0 is unknown */
        const char *next, *now, *using;
        const char *paging; /* NULL: not looked at */
        bool restart;
        const char *reason; /* a part of it */
} Row;

#define AMD .vendor = "amd"
#define OFF .nested = "off"

/* clang-format off */
static const Row rows[] = {
        /* What no definition changes */
        { "a guest that KVM does not run can't nest", .type = "qemu", .defined = "custom EPYC require", .next = "no", .reason = "type qemu" },
        { "nor does it when it runs", .type = "qemu", .defined = "custom EPYC require", .live = "custom EPYC require", .next = "no", .now = "no", .using = "no" },
        { "a 32-bit guest has what its CPU has", .arch = "i686", .defined = "host-passthrough - -", .next = "yes", .reason = "QEMU gives it no long mode" },
        { "so has one that runs", AMD, .arch = "i686", .emulator = "/usr/bin/qemu-system-i386", .defined = "host-passthrough - -", .live = "host-passthrough - -", .next = "yes", .now = "yes", .using = "unknown", .reason = "32-bit" },
        { "and one that only its definition calls so", AMD, .arch = "i686", .emulator = "/usr/bin/qemu-system-x86_64", .defined = "host-passthrough - -", .live = "host-passthrough - -", .next = "yes", .now = "yes", .using = "unknown", .reason = "gives it a 64-bit CPU" },
        { "its default CPU has none", .arch = "i686", .defined = "- - -", .next = "no", .reason = "QEMU's default" },
        { "nor what was taken away", .arch = "i686", .emulator = "/usr/libexec/qemu-kvm", .defined = "maximum - disable", .next = "no", .reason = "64-bit CPU" },
        { "a guest whose memory is encrypted can't nest", AMD, .defined = "host-passthrough - require - - - - sev", .next = "no", .reason = "Its memory is encrypted (<launchSecurity type='sev'>)" },
        { "nor one of the newer kind, that runs", AMD, .defined = "custom EPYC require - - - - sev-snp", .live = "custom EPYC require - - - - sev-snp", .next = "no", .now = "no", .using = "no", .reason = "kvm_amd refuses to load" },
        { "nor a trust domain", .defined = "host-passthrough - - - - - - tdx", .next = "no", .reason = "the TDX module gives it no vmx" },
        { "which is a matter of what runs", AMD, .defined = "custom EPYC require - - - - sev", .live = "custom EPYC require", .next = "no", .now = "yes", .using = "unknown", .restart = true },
        { "and of what is known of it", AMD, .defined = "custom EPYC require - - - - other", .next = "yes" },
        { "of other architectures nothing is known", .arch = "aarch64", .defined = "host-passthrough - -", .next = "unknown" },
        { "of other vendors nothing is known", .vendor = "", .defined = "host-passthrough - -", .next = "unknown" },
        { "without KVM nothing of type kvm starts", .no_kvm = true, .nested = "unavailable", .defined = "host-passthrough - -", .next = "fails", .reason = "KVM is not there" },

        /* What the definition asks for, on a host that can */
        { "host-passthrough takes what the host gives", .defined = "host-passthrough - -", .next = "yes" },
        { "host-model takes what the host gives", .defined = "host-model - -", .next = "yes" },
        { "but on AMD it comes to a model, whose svm QEMU leaves out", AMD, .defined = "host-model - -", .next = "no", .reason = "policy='require'" },
        { "unless it is named as well", AMD, .defined = "host-model - require", .next = "yes" },
        { "maximum is like host-passthrough", .defined = "maximum - -", .next = "yes" },
        { "disable takes it away", .defined = "host-passthrough - disable", .next = "no", .reason = "takes vmx away" },
        { "forbid refuses to start on a CPU that has it", .defined = "host-model - forbid", .next = "fails", .reason = "policy='disable'" },
        { "forbid is met by a CPU without it", .no_feature = true, .defined = "host-model - forbid", .next = "no" },
        { "Intel's models bring no vmx", .defined = "custom Haswell -", .next = "no", .reason = "Haswell brings no vmx" },
        { "a model with vmx required has it", .defined = "custom Haswell require", .next = "yes" },
        { "optional is enough", .defined = "custom Haswell optional", .next = "yes" },
        { "AMD's models have svm, but QEMU leaves it out under KVM", AMD, .defined = "custom EPYC-Rome-v4 -", .next = "no", .reason = "policy='require'" },
        { "old ones as well", AMD, .defined = "custom Opteron_G3 -", .next = "no" },
        { "when nothing is compared as well", AMD, .defined = "custom EPYC - none", .next = "no" },
        { "unless all is compared", AMD, .defined = "custom EPYC - full", .next = "fails", .reason = "check='full'" },
        { "but for machine types of before 2.2", AMD, .machine = "pc-i440fx-2.1", .defined = "custom EPYC -", .next = "yes" },
        { "with names of other kinds", AMD, .machine = "pc-1.3", .defined = "custom EPYC -", .next = "yes" },
        { "of which there are more with the same beginning", AMD, .machine = "pc-i440fx-2.12", .defined = "custom EPYC -", .next = "no" },
        { "unless it is named", AMD, .defined = "custom EPYC require", .next = "yes" },
        { "but not all", AMD, .defined = "custom Opteron_G1 -", .next = "no" },
        { "svm can be taken out of a model", AMD, .defined = "custom EPYC disable", .next = "no" },
        { "no CPU means QEMU's default, which has none", .defined = "- - -", .next = "no", .reason = "QEMU's default" },

        /* nested is off */
        { "require is weak: libvirt starts it without", OFF, .defined = "custom Haswell require", .next = "no", .reason = "says nothing" },
        { "require is weak in host-model as well", OFF, .defined = "host-model - require", .next = "no" },
        { "check='full' is not weak", OFF, .defined = "custom Haswell require full", .next = "fails", .reason = "check='full'" },
        { "a model with svm starts without", AMD, OFF, .defined = "custom EPYC -", .next = "no" },
        { "also when svm is named", AMD, OFF, .defined = "custom EPYC require", .next = "no", .reason = "says nothing" },
        { "but not with check='full'", AMD, OFF, .defined = "custom EPYC - full", .next = "fails", .reason = "check='full'" },
        { "a model without svm starts", AMD, OFF, .defined = "custom EPYC disable", .next = "no" },
        { "host-passthrough starts without", OFF, .defined = "host-passthrough - require", .next = "no" },
        { "forbid is about the CPU, not about KVM", OFF, .defined = "host-model - forbid", .next = "fails" },

        /* The CPU has none, or its firmware has it off */
        { "a model with a feature that the CPU lacks does not start", AMD, .no_feature = true, .nested = "unavailable", .defined = "custom EPYC -", .next = "fails" },
        { "require is strong where the CPU itself lacks it", .no_feature = true, .nested = "unavailable", .defined = "host-model - require", .next = "fails" },
        { "host-passthrough is not compared", .no_feature = true, .nested = "unavailable", .defined = "host-passthrough - require", .next = "no" },
        { "a model of AMD's does not start on Intel's CPU", .defined = "custom EPYC -", .next = "fails", .reason = "Its CPU model EPYC needs svm, which only AMD's CPUs have" },
        { "whatever is made of vmx", .defined = "custom qemu64 require full", .next = "fails", .reason = "svm" },
        { "also while nested is off", OFF, .defined = "custom Opteron_G2 disable partial", .next = "fails", .reason = "svm" },
        { "without its svm that is not what keeps it", .defined = "custom Opteron_G2 require - - disable", .next = "yes" },
        { "nor where svm is but a wish", .defined = "custom Opteron_G2 - - - optional", .next = "no", .reason = "brings no vmx" },
        { "nor when nothing is compared", .defined = "custom EPYC require none", .next = "yes" },
        { "a model without svm is not known to be of another vendor", .defined = "custom Opteron_G1 require", .next = "yes" },
        { "svm that is required does not start on Intel's CPU", .defined = "custom Haswell require - - require", .next = "fails", .reason = "It needs svm, which only AMD's CPUs have" },
        { "nor does vmx on AMD's", AMD, .defined = "custom EPYC require - - require", .next = "fails", .reason = "It needs vmx, which only Intel's CPUs have" },
        { "in host-model either", AMD, OFF, .defined = "host-model - - - - require", .next = "fails", .reason = "vmx" },
        { "but the host's CPU is not compared", AMD, .defined = "host-passthrough - - partial - require", .next = "yes" },
        { "unless all is", AMD, .defined = "host-passthrough - - full - require", .next = "fails" },
        { "what is forced is not asked of the CPU", AMD, .defined = "custom EPYC require - - force", .next = "yes" },
        { "what can't be read is not guessed", .nested = "unknown", .defined = "host-passthrough - -", .next = "unknown" },
        { "a definition that can't be read", .defined = "?", .next = "unknown", .reason = "could not be read" },

        /* What libvirt says of it, held against this host */
        { "libvirt does not start what the host lacks features of", AMD, .defined = "custom EPYC require", .compared = COMPARISON_LACKS, .detail = "vme, rdseed", .next = "fails", .reason = "needs what this host lacks: vme, rdseed." },
        { "also where svm would be left out", AMD, .defined = "custom EPYC -", .compared = COMPARISON_LACKS, .detail = "vme", .next = "fails" },
        { "whatever nested is", AMD, OFF, .defined = "custom EPYC require", .compared = COMPARISON_LACKS, .detail = "vme", .next = "fails" },
        { "also where QEMU is given another CPU", AMD, .defined = "custom EPYC - - - - -cpu", .compared = COMPARISON_LACKS, .detail = "vme", .next = "fails" },
        { "what fits is as without that", AMD, .defined = "custom EPYC require", .compared = COMPARISON_FITS, .next = "yes" },
        { "and starts without svm where that is only of the CPU", AMD, OFF, .defined = "custom EPYC require", .compared = COMPARISON_FITS, .next = "no", .reason = "says nothing" },
        { "but not of a model that is held against KVM alone", AMD, OFF, .defined = "custom EPYC-v4 require", .compared = COMPARISON_FITS, .exact = true, .next = "fails", .reason = "EPYC-v4 against that alone" },
        { "which has no say on a host that nests", AMD, .defined = "custom EPYC-v4 require", .compared = COMPARISON_FITS, .exact = true, .next = "yes" },
        { "nor where svm is not named", AMD, OFF, .defined = "custom EPYC-v4 -", .compared = COMPARISON_FITS, .exact = true, .next = "no" },
        { "other features may be forbidden as well", .defined = "host-model -", .compared = COMPARISON_FORBIDDEN, .detail = "aes", .next = "fails", .reason = "It forbids aes" },
        { "more than is allowed", AMD, .defined = "custom EPYC require - - - - - strict", .compared = COMPARISON_EXTRA, .next = "fails", .reason = "match='strict'" },
        { "another vendor's CPU", AMD, .defined = "custom kvm64 require", .compared = COMPARISON_VENDOR, .detail = "Intel", .next = "fails", .reason = "the vendor Intel" },
        { "what libvirt can't tell is no yes", .defined = "custom Haswell require", .compared = COMPARISON_UNKNOWN, .detail = "it has no time", .next = "unknown", .reason = "can't be told (it has no time)" },
        { "nor a no", .defined = "custom Haswell -", .compared = COMPARISON_UNKNOWN, .detail = "it has no time", .next = "unknown", .reason = "Haswell brings no vmx" },
        { "but what fails, fails", AMD, .defined = "custom EPYC require - - require", .compared = COMPARISON_UNKNOWN, .detail = "it has no time", .next = "fails" },
        { "what compares nothing says nothing", .defined = "custom Haswell require", .compared = COMPARISON_NONE, .next = "yes" },
        { "of a save it says nothing", .defined = "custom Haswell -", .saved = "custom Haswell require - full", .compared = COMPARISON_LACKS, .detail = "vme", .next = "yes" },
        { "what is compared after the start is not known before", .defined = "custom Haswell require full", .next = "unknown", .reason = "check='full'" },
        { "nor is it of host-model", AMD, .defined = "host-model - require full", .compared = COMPARISON_FITS, .next = "unknown" },
        { "nor when it asks for nothing", AMD, .defined = "host-model - - full", .next = "unknown", .reason = "policy='require'" },
        { "of the host's own CPU only what is named is compared", .defined = "host-passthrough - require full", .compared = COMPARISON_FITS, .next = "yes" },
        { "what compares nothing finds nothing forbidden", .defined = "host-passthrough - forbid", .next = "no", .reason = "compares nothing" },
        { "of a model either", .defined = "custom Haswell forbid none", .next = "no" },
        { "unless it is asked to", .defined = "host-passthrough - forbid partial", .next = "fails" },
        { "where it does not find all of it, that is not known", OFF, .defined = "host-passthrough - forbid partial", .compared = COMPARISON_UNKNOWN, .detail = "what it forbids", .next = "unknown" },
        { "what is at least a model is the host's", .defined = "custom kvm64 - - - - - - minimum", .next = "yes" },
        { "whose svm QEMU leaves out", AMD, .defined = "custom kvm64 - - - - - - minimum", .next = "no", .reason = "policy='require'" },
        { "evmcs is not on AMD's CPUs", AMD, .defined = "host-passthrough - - - - - - - - evmcs", .next = "fails", .reason = "evmcs" },
        { "but on Intel's", .defined = "host-passthrough - - - - - - - - evmcs", .next = "yes" },

        /* QEMU is told by other means what CPU to give */
        { "what QEMU's own -cpu comes to is not known", .defined = "host-passthrough - - - - - -cpu", .next = "unknown", .reason = "QEMU takes the last one" },
        { "also where <cpu> says no", AMD, .defined = "custom EPYC disable - - - -cpu", .next = "unknown" },
        { "also where libvirt would not start <cpu>'s", .defined = "custom EPYC - - - - -cpu", .next = "unknown" },
        { "nor what a property set beside it comes to", AMD, .defined = "- - - - - - -global", .next = "unknown", .reason = "-global" },
        { "nor in what runs", AMD, .defined = "custom EPYC disable - - - -cpu", .live = "custom EPYC disable - - - -cpu", .next = "unknown", .now = "unknown", .using = "unknown", .reason = "QEMU was given a -cpu" },
        { "but nothing is given where KVM gives nothing", OFF, .defined = "custom Haswell require - - - -cpu", .live = "custom Haswell require - - - -cpu", .next = "unknown", .now = "no", .using = "no" },
        { "unless it stayed loaded", OFF, .kept = true, .defined = "- - - - - - -cpu", .live = "custom qemu64 - - - - -cpu", .next = "unknown", .now = "unknown", .using = "unknown" },
        { "and who has run guests can", .defined = "custom Haswell - - - - -cpu", .live = "custom Haswell disable - - - -cpu", .run = 2, .next = "unknown", .now = "yes", .using = "has" },
        { "what is defined since is told apart", .defined = "custom Haswell disable", .live = "custom Haswell disable - - - -cpu", .next = "no", .now = "unknown", .using = "unknown", .restart = true },
        { "nor what a save has", OFF, .defined = "custom Haswell -", .saved = "custom Haswell require - - - -cpu", .next = "unknown", .reason = "managed save" },

        /* What runs */
        { "started on a host that nests", .defined = "host-passthrough - -", .live = "host-passthrough - -", .next = "yes", .now = "yes", .using = "unknown" },
        { "live XML of host-passthrough is not believed", OFF, .defined = "host-passthrough - require", .live = "host-passthrough - require", .next = "no", .now = "no", .using = "no", .reason = "whatever its XML says" },
        { "the parameter of now is that of the start", OFF, .defined = "host-model - -", .live = "custom Haswell -", .next = "no", .now = "no", .using = "no" },
        { "host-model runs as a custom model", .defined = "host-model - -", .live = "custom Haswell require", .next = "yes", .now = "yes", .using = "unknown" },
        { "live XML of a custom model says what QEMU gave", .defined = "custom Haswell require", .live = "custom Haswell disable", .next = "yes", .now = "no", .using = "no", .restart = true },
        { "what is left in a model of AMD's after the start was given", AMD, .defined = "custom EPYC -", .live = "custom EPYC - full", .next = "no", .now = "yes", .using = "unknown", .restart = true },
        { "unless libvirt has compared nothing", AMD, .defined = "custom EPYC -", .live = "custom EPYC - none", .next = "no", .now = "no", .using = "no" },
        { "and QEMU has left it out", AMD, .machine = "pc-q35-2.1", .defined = "custom EPYC -", .live = "custom EPYC - none", .next = "yes", .now = "yes", .using = "unknown" },
        { "kvm that stayed loaded proves nothing", AMD, OFF, .kept = true, .defined = "custom EPYC - none", .live = "custom EPYC -", .next = "no", .now = "unknown", .using = "unknown" },
        { "without a definition of its own it is gone when it ends", .transient = true, .defined = "host-passthrough - -", .live = "host-passthrough - -", .next = "no", .now = "yes", .using = "unknown", .reason = "transient" },
        { "what it runs with can't be read", .defined = "host-passthrough - -", .live = "?", .next = "yes", .now = "unknown", .using = "unknown" },

        /* Statistics */
        { "a virtual CPU in guest mode", .defined = "host-passthrough - -", .live = "host-passthrough - -", .run = 8, .mode = 2, .next = "yes", .now = "yes", .using = "yes" },
        { "guests were run, and are not now", .defined = "host-passthrough - -", .live = "host-passthrough - -", .run = 8, .mode = 1, .next = "yes", .now = "yes", .using = "has" },
        { "none was ever run", .defined = "host-passthrough - -", .live = "host-passthrough - -", .run = 1, .mode = 1, .next = "yes", .now = "yes", .using = "no" },
        { "whoever has run guests can, whatever else is said", OFF, .defined = "custom Haswell -", .live = "custom Haswell disable", .run = 2, .next = "no", .now = "yes", .using = "has", .restart = true },

        /* Paging */
        { "EPT in the guest on EPT of the host", .defined = "host-passthrough - -", .next = "yes", .paging = "ept-on-ept" },
        { "EPT held back from the guest", .defined = "host-model - - - disable", .next = "yes", .paging = "shadow-on-ept" },
        { "NPT in the guest on NPT of the host", AMD, .defined = "host-passthrough - -", .next = "yes", .paging = "npt-on-npt" },
        { "NPT held back from the guest", AMD, .defined = "custom EPYC require - disable", .next = "yes", .paging = "shadow-on-npt" },
        { "no EPT for anybody", .mmu = "shadow", .defined = "host-passthrough - -", .next = "yes", .paging = "shadow-on-shadow" },
        { "no paging of guests without guests", .defined = "custom Haswell -", .next = "no", .paging = "" },

        /* Restart */
        { "another mode is defined than runs", .defined = "host-passthrough - -", .live = "custom Haswell require", .next = "yes", .now = "yes", .using = "unknown", .restart = true },
        { "another model is defined than runs", .defined = "custom Skylake require", .live = "custom Haswell require", .next = "yes", .now = "yes", .using = "unknown", .restart = true },
        { "the default runs as what it came to", .defined = "- - -", .live = "custom qemu64 -", .next = "no", .now = "no", .using = "no" },

        /* Managed save */
        { "a start from a save brings back its CPU", .defined = "host-passthrough - -", .saved = "custom Haswell disable", .next = "no", .reason = "managed save" },
        { "which may have what the definition lacks", .defined = "custom Haswell -", .saved = "custom Haswell require", .next = "yes" },
        { "as a model of AMD's may", AMD, .defined = "custom EPYC disable", .saved = "custom EPYC - full", .next = "yes" },
        { "and needs it", OFF, .defined = "custom Haswell -", .saved = "custom Haswell require", .next = "fails", .reason = "That CPU had vmx" },
        { "what a passed through CPU had is not known", OFF, .defined = "custom Haswell -", .saved = "host-passthrough - require", .next = "unknown" },
        { "nor what can't be read", .defined = "host-passthrough - -", .saved = "?", .next = "unknown" },
};
/* clang-format on */

static GuestFacts *make_facts(const Row *row) {
        GuestFacts *facts = made_guest(row->defined, row->live, row->saved);

        facts->persistent = !row->transient;
        facts->type = row->type ?: facts->type;
        facts->arch = row->arch ?: facts->arch;
        facts->machine = row->machine ?: facts->machine;
        facts->emulator = row->emulator ?: facts->emulator;
        facts->nested_run = row->run - 1;
        facts->guest_mode = row->mode - 1;
        if (!row->compared && !row->detail)
                return facts;
        facts->comparison = comparison_new(NULL);
        facts->comparison->result = row->compared;
        facts->comparison->detail = g_strdup(row->detail);
        facts->comparison->exact = row->exact;
        return facts;
}

static GuestHost make_host(const Row *row) {
        return (GuestHost) {
                        .vendor = row->vendor ?: "intel",
                        .nested = row->nested ?: "on",
                        .mmu = row->mmu ?: "tdp",
                        .live = !row->no_kvm,
                        .cpu_has = !row->no_feature,
                        .kvm_kept = row->kept,
        };
}

static void test_row(gconstpointer data) {
        const Row *row = data;
        g_autoptr(GuestFacts) facts = make_facts(row);
        const GuestHost host = make_host(row);
        g_autoptr(GuestVerdict) verdict = guest_verdict_new(facts, &host);

        g_test_message("%s", verdict->reason);
        g_assert_cmpstr(verdict->next_start, ==, row->next);
        g_assert_cmpstr(verdict->now, ==, row->now ?: "");
        g_assert_cmpstr(verdict->using, ==, row->using ?: "");
        g_assert_cmpint(verdict->restart_needed, ==, row->restart);
        if (row->paging)
                g_assert_cmpstr(verdict->mmu, ==, row->paging);
        if (row->reason)
                g_assert_nonnull(strstr(verdict->reason, row->reason));
        g_assert_cmpstr(verdict->reason, !=, "");
        g_assert_null(strstr(verdict->reason, "  "));
        g_assert_false(g_str_has_prefix(verdict->reason, " "));
}

/* A revert brings back the CPU of the snapshot, and may bring back what has been taken away
 * since. */
static void test_saved_state(void) {
        const Row row = {.defined = "custom Haswell disable", .saved = "custom Haswell require"};
        g_autoptr(GuestFacts) facts = make_facts(&row);
        const GuestHost host = make_host(&row);

        made_snapshot(facts, "before", "custom Haswell require");
        made_snapshot(facts, "same", "custom Haswell disable");
        made_snapshot(facts, "other", "host-passthrough - disable");
        g_autoptr(GuestVerdict) verdict = guest_verdict_new(facts, &host);
        g_assert_cmpstr(verdict->saved_state, ==, "managed save; snapshots: before, other");

        facts->managed_save = false;
        g_autoptr(GuestVerdict) without = guest_verdict_new(facts, &host);
        g_assert_cmpstr(without->saved_state, ==, "snapshots: before, other");

        g_ptr_array_remove_index(facts->snapshots, 2);
        g_ptr_array_remove_index(facts->snapshots, 0);
        g_autoptr(GuestVerdict) none = guest_verdict_new(facts, &host);
        g_assert_cmpstr(none->saved_state, ==, "");
}

static void test_both_reasons(void) {
        const Row row = {.defined = "custom Haswell disable", .live = "custom Haswell require"};
        g_autoptr(GuestFacts) facts = make_facts(&row);
        const GuestHost host = make_host(&row);
        g_autoptr(GuestVerdict) verdict = guest_verdict_new(facts, &host);

        g_assert_true(g_str_has_prefix(verdict->reason, "Now: "));
        g_assert_nonnull(strstr(verdict->reason, " Next start: "));
        g_assert_true(verdict->restart_needed);
}

static void test_models(void) {
        g_assert_true(guest_model_brings_svm("EPYC"));
        g_assert_true(guest_model_brings_svm("qemu64"));
        g_assert_true(guest_model_brings_svm("Dhyana-v2"));
        g_assert_false(guest_model_brings_svm("Skylake-Server"));
        g_assert_false(guest_model_brings_svm(""));
        g_assert_cmpstr(guest_model_vendor("EPYC-Turin"), ==, "amd");
        g_assert_cmpstr(guest_model_vendor("Opteron_G1"), ==, "amd");
        g_assert_cmpstr(guest_model_vendor("Haswell-noTSX"), ==, "intel");
        g_assert_cmpstr(guest_model_vendor("YongFeng-v1"), ==, "intel");
        g_assert_null(guest_model_vendor("qemu64"));
        g_assert_null(guest_model_vendor(""));
        g_assert_true(guest_model_needs_vendor("Dhyana"));
        g_assert_false(guest_model_needs_vendor("Opteron_G1"));
        g_assert_false(guest_model_needs_vendor("qemu64"));
        g_assert_false(guest_model_needs_vendor("Haswell"));
        g_assert_true(guest_machine_keeps_svm("pc-i440fx-2.1"));
        g_assert_false(guest_machine_keeps_svm("pc-i440fx-2.2"));
        g_assert_false(guest_machine_keeps_svm("pc-q35-10.0"));
        g_assert_false(guest_machine_keeps_svm("pc"));
        g_assert_false(guest_machine_keeps_svm(""));
        g_assert_cmpstr(guest_feature("intel"), ==, "vmx");
        g_assert_cmpstr(guest_feature("amd"), ==, "svm");
        g_assert_null(guest_feature(""));
}

/* Which of them, were they Windows, have what they were not asked to have. */
static void test_unasked(void) {
        static const struct {
                Row row;
                bool unasked;
        } cases[] = {
                        {{.defined = "host-passthrough"}, true},
                        {{.defined = "maximum"}, true},
                        {{.defined = "host-passthrough", .live = "host-passthrough - require"}, true},
                        {{.defined = "host-passthrough - disable", .live = "host-passthrough - disable"}, false},
                        {{.defined = "host-passthrough - require"}, false},
                        {{.defined = "host-passthrough - optional"}, false},
                        {{.defined = "custom EPYC require"}, false},
                        {{.defined = "custom kvm64"}, false},
                        {{.defined = "host-passthrough", .nested = "off"}, false},
                        {{.defined = "?"}, false},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(GuestFacts) facts = make_facts(&cases[i].row);
                const GuestHost host = make_host(&cases[i].row);
                g_test_message("%s", cases[i].row.defined);
                g_assert_false(guest_nests_unasked(facts, &host));
                facts->windows = true;
                g_assert_cmpint(guest_nests_unasked(facts, &host), ==, cases[i].unasked);
        }
}

typedef struct Member {
        const char *name, *type;
} Member;

/* Written out again on purpose: these names, types and their order are an interface. */
static void test_describe(void) {
        static const Member members[] = {
                        {"Active", "b"}, {"CpuMode", "s"},   {"CpuModel", "s"},      {"Mmu", "s"},
                        {"Name", "s"},   {"NextStart", "s"}, {"Now", "s"},           {"Persistent", "b"},
                        {"Policy", "s"}, {"Reason", "s"},    {"RestartNeeded", "b"}, {"SavedState", "s"},
                        {"Type", "s"},   {"Using", "s"},     {"Uuid", "s"},
        };
        const Row row = {.defined = "custom Haswell require", .live = "custom Haswell require"};
        g_autoptr(GuestFacts) facts = make_facts(&row);
        const GuestHost host = make_host(&row);

        g_free(facts->name);
        facts->name = g_strdup("no \xff UTF-8");
        g_autoptr(GVariant) described = g_variant_ref_sink(describe_guest(facts, &host));
        g_assert_cmpuint(g_variant_n_children(described), ==, G_N_ELEMENTS(members));
        for (unsigned i = 0; i < G_N_ELEMENTS(members); i++) {
                g_autoptr(GVariant) value = NULL;
                const char *name;
                g_variant_get_child(described, i, "{&sv}", &name, &value);
                g_assert_cmpstr(name, ==, members[i].name);
                g_assert_cmpstr(g_variant_get_type_string(value), ==, members[i].type);
        }
        const char *policy = NULL;
        g_assert_true(g_variant_lookup(described, "Policy", "&s", &policy));
        g_assert_cmpstr(policy, ==, "require");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/guest/%s", rows[i].fact);
                g_test_add_data_func(g_strdelimit(path, "'", '_'), &rows[i], test_row);
        }
        g_test_add_func("/guest/saved-state", test_saved_state);
        g_test_add_func("/guest/both-reasons", test_both_reasons);
        g_test_add_func("/guest/models", test_models);
        g_test_add_func("/guest/unasked", test_unasked);
        g_test_add_func("/guest/describe", test_describe);
        return g_test_run();
}
