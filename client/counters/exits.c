/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Counts and names. It must not know where exits are seen. */

#if defined(__x86_64__)
#include <asm/svm.h>
#include <asm/vmx.h>
#include <linux/kvm.h>
#endif

#include "exits.h"

typedef struct Name {
        guint64 reason; /* newer headers of the kernel have 64 bits; what is told of an exit has the lower ones */
        const char *text;
} Name;

#if defined(__x86_64__)
static const Name svm_names[] = {SVM_EXIT_REASONS};
static const Name vmx_names[] = {VMX_EXIT_REASONS};
/* Above it there are flags. */
#define VMX_REASON 0xffffU
#else
static const Name svm_names[] = {{}}, vmx_names[] = {{}};
#define VMX_REASON 0U
#endif

Exits *exits_new(Isa isa) {
        Exits *exits = g_new(Exits, 1);

        *exits = (Exits) {.isa = isa, .by_reason = g_hash_table_new_full(NULL, NULL, NULL, g_free)};
        return exits;
}

void exits_free(Exits *exits) {
        if (!exits)
                return;
        g_hash_table_unref(exits->by_reason);
        g_free(exits);
}

void exits_add(Exits *exits, guint32 reason, bool nested) {
        Exit *exit = g_hash_table_lookup(exits->by_reason, GUINT_TO_POINTER(reason));

        if (!exit) {
                exit = g_new0(Exit, 1);
                exit->reason = reason;
                g_hash_table_insert(exits->by_reason, GUINT_TO_POINTER(reason), exit);
        }
        if (nested) {
                exit->nested++;
                exits->nested++;
        } else {
                exit->all++;
                exits->all++;
        }
}

void exits_forget(Exits *exits) {
        g_hash_table_remove_all(exits->by_reason);
        exits->all = exits->nested = 0;
}

static int compare(gconstpointer a, gconstpointer b) {
        const Exit *x = *(const Exit *const *) a, *y = *(const Exit *const *) b;

        if (x->all != y->all)
                return x->all > y->all ? -1 : 1;
        return x->reason < y->reason ? -1 : x->reason > y->reason;
}

GPtrArray *exits_sorted(const Exits *exits) {
        GPtrArray *sorted = g_ptr_array_new();
        GHashTableIter iter;
        gpointer exit;

        g_hash_table_iter_init(&iter, exits->by_reason);
        while (g_hash_table_iter_next(&iter, NULL, &exit))
                g_ptr_array_add(sorted, exit);
        g_ptr_array_sort(sorted, compare);
        return sorted;
}

static const char *find_name(const Name *names, gsize n, guint32 reason) {
        for (gsize i = 0; i < n; i++)
                if (names[i].text && (guint32) names[i].reason == reason)
                        return names[i].text;
        return NULL;
}

char *exit_name(Isa isa, guint32 reason) {
        const char *name = isa == ISA_SVM   ? find_name(svm_names, G_N_ELEMENTS(svm_names), reason)
                           : isa == ISA_VMX ? find_name(vmx_names, G_N_ELEMENTS(vmx_names), reason & VMX_REASON)
                                            : NULL;
        const bool flags = isa == ISA_VMX && reason & ~VMX_REASON;

        if (!name)
                return g_strdup_printf("0x%x", reason);
        return flags ? g_strdup_printf("%s+0x%x", name, reason & ~VMX_REASON) : g_strdup(name);
}
