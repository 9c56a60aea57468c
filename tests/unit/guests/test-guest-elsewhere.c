/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether a guest could go on on another host: a row for each rule, and one that it nearly is
 * for. */

#include <string.h>

#include "guest-elsewhere.h"
#include "made-ability.h"
#include "made-guest.h"

#define BIT(n) (1ULL << (n))
#define PROC2 (ABILITY_MSR + 0x0b)
#define EPT BIT(33)
#define PML BIT(49)
#define NPT BIT(0)
#define VGIF BIT(16)

typedef struct Row {
        const char *fact;
        const char *vendor;                 /* NULL: "amd" */
        bool off;                           /* nested is, on this host */
        const char *type;                   /* NULL: "kvm" */
        const char *defined, *live, *saved; /* as of made_guest() */
        gint64 run;                         /* as statistics say, and one more: 0 is unknown */
        guint64 here, there;      /* bits that the hosts lack, of SVM's features or of the secondary controls */
        bool none, other, untold; /* that host offers nothing; is of the other vendor; does not tell */
        const char *verdict, *differences, *reason; /* the reason is a part of it */
        bool unasked;                               /* it is told without what this host offers */
} Row;

/* clang-format off */
static const Row rows[] = {
        /* What hosts offer is nothing to it */
        { "a guest without svm is taken wherever", .live = "custom EPYC disable", .none = true, .verdict = "accepts", .reason = "It can have no guests", .unasked = true },
        { "so is one that would start without", .defined = "custom EPYC -", .there = NPT, .verdict = "accepts", .reason = "Started here, it can have no guests", .unasked = true },
        { "one of another type", .type = "qemu", .defined = "custom EPYC require", .none = true, .verdict = "accepts", .unasked = true },
        { "one that runs without, whatever its next start brings", .defined = "host-passthrough - -", .live = "host-passthrough - disable", .there = NPT, .verdict = "accepts", .unasked = true },
        { "and not one that runs with it", .defined = "custom EPYC disable", .live = "host-passthrough - require", .there = NPT, .verdict = "refuses", .differences = "npt" },
        { "that does not start here is not known", .defined = "custom EPYC require - - require", .verdict = "unknown", .reason = "It does not start here. It needs vmx", .unasked = true },

        /* What the hosts are to each other */
        { "the same is taken", .live = "host-passthrough - require", .verdict = "accepts", .reason = "the very same" },
        { "more is taken", .live = "host-passthrough - require", .here = NPT | VGIF, .verdict = "accepts", .reason = "all that this one does" },
        { "also where it is not known what it has", .live = "host-passthrough - require - - - -cpu", .here = NPT, .verdict = "accepts" },
        { "what does not tell is not known", .live = "host-passthrough - require", .untold = true, .verdict = "unknown", .reason = "does not tell" },
        { "what it had before nested was off is not known", .off = true, .live = "host-passthrough - require", .run = 8, .none = true, .verdict = "unknown", .reason = "offers nothing" },
        { "nor what a save of then has", .off = true, .defined = "custom EPYC require", .saved = "host-passthrough - require", .verdict = "unknown", .reason = "managed save" },

        /* The host's CPU as it is */
        { "all that is missing counts", .live = "host-passthrough - require", .there = NPT | VGIF, .verdict = "refuses", .differences = "npt vgif", .reason = "It has the CPU of this host as it is" },
        { "also of the next start", .defined = "maximum - -", .there = VGIF, .verdict = "refuses", .differences = "vgif", .reason = "Started there, it has what is offered there" },
        { "and of a save that it brings back", .defined = "custom EPYC require", .saved = "host-passthrough - require", .there = VGIF, .verdict = "refuses", .differences = "vgif" },
        { "but not what it is not given", .live = "host-passthrough - require - disable - - - - - disable", .there = NPT, .verdict = "accepts", .reason = "all that this one does but npt" },
        { "of the rest it is not known what else goes with that", .live = "host-passthrough - require - disable - - - - - disable", .there = NPT | VGIF, .verdict = "unknown", .differences = "vgif" },
        { "nor what else it is not given", .live = "host-passthrough - require - - - - - - - forbid", .there = VGIF, .verdict = "unknown", .differences = "vgif" },
        { "nor what QEMU was told beside it", .live = "host-passthrough - require - - - -cpu", .run = 2, .there = VGIF, .verdict = "unknown", .differences = "vgif" },
        { "which may be nothing at all", .live = "host-passthrough - require - - - -cpu", .there = VGIF, .verdict = "unknown", .differences = "vgif", .reason = "QEMU was given a -cpu" },
        { "nor what could not be read", .live = "?", .there = VGIF, .verdict = "unknown", .differences = "vgif", .reason = "could not be read" },

        /* A model */
        { "what a model has is QEMU's", .live = "custom EPYC require", .there = NPT | VGIF, .verdict = "unknown", .differences = "npt vgif", .reason = "up to its model" },
        { "but what is named it has", .live = "custom EPYC require - require", .there = NPT | VGIF, .verdict = "refuses", .differences = "npt", .reason = "It has npt, which that host does not offer" },
        { "if it is missing", .live = "custom EPYC require - require", .there = VGIF, .verdict = "unknown", .differences = "vgif" },
        { "and QEMU was told nothing beside it", .live = "custom EPYC require - require - -cpu", .run = 2, .there = NPT, .verdict = "unknown", .differences = "npt" },
        { "what it is to have if it can be had counts for nothing", .live = "custom EPYC require - optional", .there = NPT, .verdict = "unknown", .differences = "npt" },
        { "what is taken away it has not", .defined = "custom EPYC require - forbid", .there = NPT, .verdict = "accepts" },
        { "svm it has", .live = "custom EPYC require", .none = true, .verdict = "refuses", .differences = "svm" },
        { "which is none of the other vendor's", .live = "custom EPYC require", .other = true, .verdict = "refuses", .differences = "svm" },
        { "a host-model is a model", .defined = "host-model - require", .there = VGIF, .verdict = "unknown", .differences = "vgif" },

        /* VMX */
        { "all of the controls", .vendor = "intel", .live = "host-passthrough - require", .there = EPT | PML, .verdict = "refuses", .differences = "vmx-ept vmx-pml" },
        { "EPT that is named", .vendor = "intel", .live = "custom Haswell require - require", .there = EPT | PML, .verdict = "refuses", .differences = "vmx-ept" },
        { "EPT that is taken away", .vendor = "intel", .live = "custom Haswell require - disable", .there = EPT, .verdict = "accepts", .reason = "vmx-ept" },
        { "vmx it has", .vendor = "intel", .live = "custom Haswell require", .none = true, .verdict = "refuses", .differences = "vmx" },
};
/* clang-format on */

static Ability *offer(const Row *row, bool none, bool other, guint64 lacking) {
        const bool amd = (!row->vendor) != other;
        const AbilityKey key = amd ? ABILITY_SVM_EDX : PROC2;
        Ability *ability = none ? made_none(amd ? "amd" : "intel") : amd ? made_svm() : made_vmx();

        ability->value[key] &= ~lacking;
        return ability;
}

static char *names(const GPtrArray *differences) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < differences->len; i++) {
                const AbilityDifference *difference = g_ptr_array_index(differences, i);
                g_string_append_printf(text, "%s%s", i > 0 ? " " : "", difference->feature);
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void check(gconstpointer data) {
        const Row *row = data;
        g_autoptr(GuestFacts) facts = made_guest(row->defined ?: row->live, row->live, row->saved);
        g_autoptr(Ability) here = offer(row, row->off, false, row->here),
                           there = offer(row, row->none, row->other, row->there);
        const GuestHost host = {
                        .vendor = row->vendor ?: "amd",
                        .nested = row->off ? "off" : "on",
                        .mmu = "tdp",
                        .live = true,
                        .cpu_has = true,
        };
        g_autofree char *found = NULL;

        facts->type = row->type ?: facts->type;
        facts->nested_run = row->run - 1;
        there->known[ABILITY_SVM_EDX] = !row->untold && there->known[ABILITY_SVM_EDX];
        g_autoptr(GuestElsewhere) early = guest_elsewhere_new(facts, &host, NULL, there),
                                  elsewhere = guest_elsewhere_new(facts, &host, here, there);
        g_assert_cmpint(early != NULL, ==, row->unasked);
        g_assert_cmpstr(elsewhere->verdict, ==, row->verdict);
        found = names(elsewhere->differences);
        g_assert_cmpstr(found, ==, row->differences ?: "");
        if (!strstr(elsewhere->reason, row->reason ?: ""))
                g_error("\"%s\" is not in \"%s\"", row->reason, elsewhere->reason);
        g_assert_true(g_str_has_suffix(elsewhere->reason, "."));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/guest-elsewhere/%s", rows[i].fact);
                g_test_add_data_func(path, &rows[i], check);
        }
        return g_test_run();
}
