/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A start with check='partial' is held against the "full" CPU of the host, which is what the CPU
 * itself has and what KVM gives together (src/qemu/qemu_capabilities.c,
 * virQEMUCapsInitHostCPUModel()); virConnectCompareHypervisorCPU() goes by what KVM gives alone,
 * and virConnectCompareCPU() by what the CPU has. So what a start finds missing is what both find
 * missing: what KVM alone withholds, libvirt takes away and says nothing.
 *
 * Since libvirt 10.9 that is so for models of old alone; of others the start as well goes by what
 * KVM gives (src/qemu/qemu_domain.c, qemuDomainCheckCPU(), and partial='compat' in src/cpu_map). No
 * interface tells which kind a model is, but one that is held against the full CPU is refused for a
 * feature that it forbids, and the others are not.
 *
 * What is kept is bounded: by the guests there are, and by COMPARISONS_MAX. */

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "capabilities.h"
#include "libvirt-comparisons.h"

/* More different <cpu>s than this are not asked about. */
#define COMPARISONS_MAX 1024U

/* Every CPU has it that x86 guests of KVM run on. */
#define ALWAYS_THERE "fpu"

struct LibvirtComparisons {
        GHashTable *kept;  /* key -> Comparison*, whose it is */
        GHashTable *exact; /* emulator, arch and model as a key -> whether it is held against what KVM gives alone */
};

LibvirtComparisons *libvirt_comparisons_new(void) {
        LibvirtComparisons *comparisons = g_new(LibvirtComparisons, 1);

        *comparisons = (LibvirtComparisons) {
                        .kept = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) comparison_unref),
                        .exact = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        };
        return comparisons;
}

void libvirt_comparisons_free(LibvirtComparisons *comparisons) {
        if (!comparisons)
                return;
        g_hash_table_unref(comparisons->kept);
        g_hash_table_unref(comparisons->exact);
        g_free(comparisons);
}

typedef enum Said {
        SAID_NOTHING, /* it can't tell: @message is why */
        SAID_YES,     /* all that is asked for is there */
        SAID_NO,      /* @names are why, or NULL and a @message */
} Said;

typedef struct Answer {
        Said said;
        bool unsupported; /* it never tells */
        GStrv names;
        char *message;
} Answer;

static void answer_clear(Answer *answer) {
        g_strfreev(answer->names);
        g_free(answer->message);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static Answer answer_of(int result) {
        const virError *last = result == VIR_CPU_COMPARE_ERROR ? virGetLastError() : NULL;
        const char *message = last && last->message ? last->message : "libvirt does not say why";

        if (result == VIR_CPU_COMPARE_IDENTICAL || result == VIR_CPU_COMPARE_SUPERSET)
                return (Answer) {.said = SAID_YES};
        if (last && last->code == VIR_ERR_CPU_INCOMPATIBLE)
                return (Answer) {.said = SAID_NO, .names = comparison_names(message), .message = g_strdup(message)};
        return (Answer) {.said = SAID_NOTHING,
                         .unsupported = last && last->code == VIR_ERR_NO_SUPPORT,
                         .message = g_strdup(message)};
}

/* By what KVM gives. */
static Answer ask_kvm(virConnectPtr connection, const CpuQuestion *question, const char *cpu) {
        return answer_of(virConnectCompareHypervisorCPU(connection, *question->emulator ? question->emulator : NULL,
                                                        question->arch, NULL, "kvm", cpu,
                                                        VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE));
}

/* By what the CPU has. */
static Answer ask_cpu(virConnectPtr connection, const char *cpu) {
        return answer_of(virConnectCompareCPU(connection, cpu, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE));
}

static bool ask_exact(virConnectPtr connection, const CpuQuestion *question) {
        g_autofree char *cpu = g_markup_printf_escaped("<cpu mode='custom' match='exact'><model>%s</model>"
                                                       "<feature policy='forbid' name='" ALWAYS_THERE "'/></cpu>",
                                                       question->model);
        g_auto(Answer) answer = ask_kvm(connection, question, cpu);

        return answer.said != SAID_NOTHING &&
               !(answer.names && g_strv_contains((const char *const *) answer.names, ALWAYS_THERE));
}

static bool is_exact(LibvirtComparisons *comparisons, virConnectPtr connection, const CpuQuestion *question) {
        g_autofree char *key = g_strjoin("\x1f", question->emulator, question->arch, question->model, NULL);
        gpointer known;

        if (!*question->model || question->full)
                return false;
        if (!g_hash_table_lookup_extended(comparisons->exact, key, NULL, &known)) {
                const bool exact = ask_exact(connection, question);
                known = GINT_TO_POINTER(exact);
                (void) g_hash_table_insert(comparisons->exact, g_steal_pointer(&key), known);
        }
        return GPOINTER_TO_INT(known);
}

static void set(Comparison *comparison, ComparisonResult result, const char *detail) {
        comparison->result = result;
        comparison->detail = g_strdup(detail);
}

static void set_names(Comparison *comparison, ComparisonResult result, const GStrv names) {
        comparison->result = result;
        comparison->detail = capabilities_list(names);
}

/* Nothing but what is forbidden. */
static bool are_forbidden(const CpuQuestion *question, const GStrv names) {
        for (char **name = names; name && *name; name++)
                if (!g_strv_contains((const char *const *) question->forbidden, *name))
                        return false;
        return names;
}

static GStrv intersect(const GStrv one, const GStrv other) {
        g_autoptr(GPtrArray) both = g_ptr_array_new();

        for (char **name = one; name && *name; name++)
                if (g_strv_contains((const char *const *) other, *name))
                        g_ptr_array_add(both, g_strdup(*name));
        g_ptr_array_add(both, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&both), FALSE);
}

/* KVM alone gives less than is asked for: does the CPU itself as well? */
static void judge_both(virConnectPtr connection, Comparison *comparison, const char *cpu, const Answer *kvm) {
        g_auto(Answer) raw = ask_cpu(connection, cpu);
        g_auto(GStrv) missing = NULL;

        if (raw.said == SAID_YES)
                set(comparison, COMPARISON_FITS, NULL);
        else if (raw.said == SAID_NO && are_forbidden(comparison->question, raw.names))
                set_names(comparison, COMPARISON_FORBIDDEN, raw.names);
        else if (raw.said == SAID_NOTHING || !raw.names || !kvm->names)
                set(comparison, COMPARISON_UNKNOWN, raw.message);
        else {
                missing = intersect(kvm->names, raw.names);
                set_names(comparison, *missing ? COMPARISON_LACKS : COMPARISON_FITS, missing);
        }
}

/* What is missing counts before what there is too much of. */
static void judge_strict(virConnectPtr connection, Comparison *comparison) {
        const CpuQuestion *question = comparison->question;
        g_auto(Answer) kvm = ask_kvm(connection, question, question->relaxed);

        if (kvm.said == SAID_NO)
                judge_both(connection, comparison, question->relaxed, &kvm);
        if (kvm.said == SAID_YES || comparison->result == COMPARISON_FITS)
                set(comparison, COMPARISON_EXTRA, NULL);
        else if (kvm.said == SAID_NOTHING)
                set(comparison, COMPARISON_UNKNOWN, kvm.message);
}

static void judge_no(virConnectPtr connection, Comparison *comparison, const Answer *kvm) {
        const CpuQuestion *question = comparison->question;

        if (are_forbidden(question, kvm->names))
                set_names(comparison, COMPARISON_FORBIDDEN, kvm->names);
        else if (*question->vendor && g_str_has_suffix(kvm->message, question->vendor))
                set(comparison, COMPARISON_VENDOR, question->vendor);
        else if (!comparison->exact && question->relaxed)
                judge_strict(connection, comparison);
        else if (!comparison->exact && !question->full)
                judge_both(connection, comparison, question->cpu, kvm);
        else if (kvm->names)
                set_names(comparison, COMPARISON_LACKS, kvm->names);
        else
                set(comparison, COMPARISON_UNKNOWN, kvm->message);
}

/* What KVM does not give may be forbidden all the same, as the CPU has it; but where the start
 * looks for that by its name alone, it does not find what is part of the model that the CPU is
 * taken for (src/cpu/cpu.c, virCPUCheckForbiddenFeatures()), and which that is is not told. */
static void judge_yes(virConnectPtr connection, Comparison *comparison) {
        const CpuQuestion *question = comparison->question;

        set(comparison, COMPARISON_FITS, NULL);
        if (!*question->forbidden)
                return;
        g_auto(Answer) raw = ask_cpu(connection, question->cpu);
        if (raw.said != SAID_NO || !are_forbidden(question, raw.names))
                return;
        if (comparison->exact || question->full || question->passes_through)
                set(comparison, COMPARISON_UNKNOWN, "what it forbids the CPU has, and KVM does not give");
        else
                set_names(comparison, COMPARISON_FORBIDDEN, raw.names);
}

/* Takes @question over. */
static Comparison *ask(LibvirtComparisons *comparisons, virConnectPtr connection, CpuQuestion *question) {
        Comparison *comparison = comparison_new(question);
        g_auto(Answer) kvm = ask_kvm(connection, question, question->cpu);

        if (kvm.said == SAID_NOTHING) {
                set(comparison, kvm.unsupported ? COMPARISON_NONE : COMPARISON_UNKNOWN, kvm.message);
                return comparison;
        }
        comparison->exact = is_exact(comparisons, connection, question);
        if (kvm.said == SAID_YES)
                judge_yes(connection, comparison);
        else
                judge_no(connection, comparison, &kvm);
        return comparison;
}

static Comparison *refuse(CpuQuestion *question) {
        Comparison *comparison = comparison_new(question);

        set(comparison, COMPARISON_UNKNOWN, "there are too many different ones");
        return comparison;
}

void libvirt_comparisons_answer(LibvirtComparisons *comparisons, virConnectPtr connection, GuestFacts *facts) {
        g_autofree char *key = facts->question ? cpu_question_key(facts->question) : NULL;
        Comparison *known = key ? g_hash_table_lookup(comparisons->kept, key) : NULL;

        if (!key)
                return;
        if (known)
                facts->comparison = comparison_ref(known);
        else if (g_hash_table_size(comparisons->kept) >= COMPARISONS_MAX)
                facts->comparison = refuse(g_steal_pointer(&facts->question));
        else {
                known = ask(comparisons, connection, g_steal_pointer(&facts->question));
                (void) g_hash_table_insert(comparisons->kept, known->key, known);
                facts->comparison = comparison_ref(known);
        }
        g_clear_pointer(&facts->question, cpu_question_free);
}

static gboolean is_unwanted(gpointer key, gpointer value, gpointer wanted) {
        return !g_hash_table_contains(wanted, key);
}

static void forget_others(LibvirtComparisons *comparisons, const GPtrArray *guests) {
        g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);

        for (unsigned i = 0; i < guests->len; i++) {
                const GuestFacts *facts = g_ptr_array_index(guests, i);
                if (facts->comparison)
                        (void) g_hash_table_add(wanted, facts->comparison->key);
        }
        (void) g_hash_table_foreach_remove(comparisons->kept, is_unwanted, wanted);
        g_hash_table_remove_all(comparisons->exact);
}

void libvirt_comparisons_answer_all(LibvirtComparisons *comparisons, virConnectPtr connection, GPtrArray *guests) {
        for (unsigned i = 0; i < guests->len; i++)
                libvirt_comparisons_answer(comparisons, connection, g_ptr_array_index(guests, i));
        forget_others(comparisons, guests);
}

GHashTable *libvirt_comparisons_again(LibvirtComparisons *comparisons, virConnectPtr connection) {
        GHashTable *again = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) comparison_unref);
        GHashTableIter iter;
        gpointer value;

        g_hash_table_remove_all(comparisons->exact);
        g_hash_table_iter_init(&iter, comparisons->kept);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                const Comparison *known = value;
                Comparison *new = ask(comparisons, connection, cpu_question_copy(known->question));
                (void) g_hash_table_insert(again, new->key, new);
        }
        g_hash_table_remove_all(comparisons->kept);
        g_hash_table_iter_init(&iter, again);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
                Comparison *new = comparison_ref(value);
                (void) g_hash_table_insert(comparisons->kept, new->key, new);
        }
        return again;
}
