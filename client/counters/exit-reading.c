/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What exits say about nesting. It knows what an exit means, and must not know how it was seen. */

#if defined(__x86_64__)
#include <asm/svm.h>
#include <asm/vmx.h>
#include <linux/kvm.h>
#endif

#include "exits.h"

/* Fewer say nothing. */
#define ENOUGH 100U

typedef struct Sum {
        guint64 all, nested;
} Sum;

static Sum sum(const Exits *exits, const guint32 *reasons, gsize n) {
        Sum result = {};

        for (gsize i = 0; i < n; i++) {
                const Exit *exit = g_hash_table_lookup(exits->by_reason, GUINT_TO_POINTER(reasons[i]));
                result.all += exit ? exit->all : 0;
                result.nested += exit ? exit->nested : 0;
        }
        return result;
}

/* More than a quarter. */
static bool is_much(guint64 part, guint64 whole) {
        return whole >= ENOUGH && part > whole / 4;
}

G_GNUC_PRINTF(2, 3)
static void say(GPtrArray *sentences, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        g_ptr_array_add(sentences, g_strdup_vprintf(format, ap));
        va_end(ap);
}

#define NUMBER "%" G_GUINT64_FORMAT

#if defined(__x86_64__)
/* What only a hypervisor on its VMCS does, unless the hardware does it for it. */
static const guint32 vmcs[] = {EXIT_REASON_VMREAD, EXIT_REASON_VMWRITE};
/* What a hypervisor that shadows page tables must see of its guest. */
static const guint32 vmx_shadow[] = {EXIT_REASON_EXCEPTION_NMI, EXIT_REASON_INVLPG, EXIT_REASON_CR_ACCESS};
static const guint32 svm_shadow[] = {SVM_EXIT_EXCP_BASE + 14, SVM_EXIT_INVLPG, SVM_EXIT_READ_CR3, SVM_EXIT_WRITE_CR3};
static const guint32 vmx_tdp[] = {EXIT_REASON_EPT_VIOLATION, EXIT_REASON_EPT_MISCONFIG};
static const guint32 svm_tdp[] = {SVM_EXIT_NPF};

static void read_vmcs(const Exits *exits, GPtrArray *sentences) {
        const Sum s = sum(exits, vmcs, G_N_ELEMENTS(vmcs));

        if (is_much(s.all, exits->all))
                say(sentences,
                    NUMBER " of " NUMBER " exits are for VMREAD and VMWRITE: a guest hypervisor looks at its VMCS, and "
                           "VMCS shadowing is not in use. Why: nestvirtctl show shadow-vmcs",
                    s.all, exits->all);
}

static void read_paging(const Exits *exits, GPtrArray *sentences) {
        const bool vmx = exits->isa == ISA_VMX;
        const char *tdp = vmx ? "EPT" : "NPT", *parameter = vmx ? "ept" : "npt";
        const Sum shadow = vmx ? sum(exits, vmx_shadow, G_N_ELEMENTS(vmx_shadow))
                               : sum(exits, svm_shadow, G_N_ELEMENTS(svm_shadow));
        const Sum violations =
                        vmx ? sum(exits, vmx_tdp, G_N_ELEMENTS(vmx_tdp)) : sum(exits, svm_tdp, G_N_ELEMENTS(svm_tdp));

        if (is_much(shadow.nested, exits->nested))
                say(sentences,
                    NUMBER
                    " of " NUMBER
                    " exits of guests' guests are page faults, INVLPG and CR3: their page tables are shadowed by "
                    "the guest hypervisor. With %s of its own these exits go away; whether this host offers it: "
                    "nestvirtctl show %s",
                    shadow.nested, exits->nested, tdp, parameter);
        if (is_much(shadow.all - shadow.nested, exits->all - exits->nested))
                say(sentences,
                    NUMBER " of " NUMBER
                           " exits of guests themselves are page faults, INVLPG and CR3: this host shadows their page "
                           "tables. Why: nestvirtctl show %s",
                    shadow.all - shadow.nested, exits->all - exits->nested, parameter);
        if (is_much(violations.nested, exits->nested))
                say(sentences,
                    NUMBER " of " NUMBER
                           " exits of guests' guests are %s violations: memory that they touch for the first time, or "
                           "that the guest hypervisor has mapped anew. Many are usual while they start",
                    violations.nested, exits->nested, tdp);
}
#endif

GPtrArray *exits_readings(const Exits *exits) {
        GPtrArray *sentences = g_ptr_array_new_with_free_func(g_free);

        if (exits->all == 0)
                say(sentences, "No exits: no guest runs, or those that do have nothing to do");
        else if (exits->nested == 0)
                say(sentences, "No exit came from a guest of a guest");
#if defined(__x86_64__)
        if (exits->isa == ISA_VMX)
                read_vmcs(exits, sentences);
        if (exits->isa != ISA_NONE)
                read_paging(exits, sentences);
#endif
        return sentences;
}
