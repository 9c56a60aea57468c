/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules, each with a pair that is taken and one that nearly is: a value of the one host or of
 * the other is changed, and a guest goes there and back. */

#include "ability-compare.h"
#include "made-ability.h"

#define BIT(n) (1ULL << (n))
#define A ABILITY_ACCEPTS
#define R ABILITY_REFUSES
#define U ABILITY_UNKNOWN
#define MSR(address) (ABILITY_MSR + ((address) - ABILITY_MSR_FIRST))

typedef struct Row {
        const char *what;
        AbilityKey key;
        guint64 cleared, set;       /* at the second host; the first one is as it was made */
        AbilityVerdict there, back; /* of a guest of the first on the second, and the other way round */
        const char *kind, *feature; /* the first difference of whichever refuses */
} Row;

/* clang-format off */
static const Row vmx_rows[] = {
        {"may be 1 there no more",      MSR(0x48d), BIT(39), 0, R, A, "missing", "vmx-posted-intr"},
        {"the same of PROCBASED",       MSR(0x48e), BIT(53), 0, R, A, "missing", "vmx-flexpriority"},
        {"the same of PROCBASED2",      MSR(0x48b), BIT(33), 0, R, A, "missing", "vmx-ept"},
        {"the same of EXIT",            MSR(0x48f), BIT(55), 0, R, A, "missing", "vmx-exit-clear-bndcfgs"},
        {"the same of ENTRY",           MSR(0x490), BIT(46), 0, R, A, "missing", "vmx-entry-load-pat"},
        {"may be 1 there alone",        MSR(0x48b), 0, BIT(42), A, R, "missing", "vmx-ple"},
        {"must be 1 there",             MSR(0x48d), 0, BIT(3), R, A, "required", "vmx-nmi-exit"},
        {"must be 1 there no more",     MSR(0x48d), BIT(2), 0, A, R, "required", "msr.48d bit 34"},
        {"must be 1 of PROCBASED",      MSR(0x48e), 0, BIT(15), R, A, "required", "vmx-cr3-load-noexit"},
        {"CR0 must have a bit",         MSR(0x486), 0, BIT(16), R, A, "required", "msr.486 bit 16"},
        {"CR4 must have a bit no more", MSR(0x488), BIT(13), 0, A, R, "required", "msr.488 bit 13"},
        {"EPT with fewer pages",        MSR(0x48c), BIT(17), 0, R, A, "missing", "vmx-ept-1gb"},
        {"VPID",                        MSR(0x48c), BIT(40), 0, R, A, "missing", "vmx-invvpid-single-addr"},
        {"EPT with more",               MSR(0x48c), 0, BIT(7), A, R, "missing", "vmx-page-walk-5"},
        {"VM functions",                MSR(0x491), BIT(0), 0, R, A, "missing", "vmx-eptp-switching"},
        {"INS and OUTS",                MSR(0x480), BIT(54), 0, R, A, "missing", "vmx-ins-outs"},
        {"true controls",               MSR(0x480), BIT(55), 0, R, A, "missing", "vmx-true-ctls"},
        {"dual monitor",                MSR(0x480), 0, BIT(49), A, R, "missing", "msr.480 bit 49"},
        {"memory type",                 MSR(0x480), BIT(52), 0, A, A, NULL, NULL},
        {"short addresses there",       MSR(0x480), 0, BIT(48), A, R, "value", "msr.480 (addresses of 32 bits)"},
        {"another revision",            MSR(0x480), 0, 1, R, R, "value", "msr.480 (revision of the VMCS)"},
        {"a larger VMCS there",         MSR(0x480), 0, BIT(34), R, A, "value", "msr.480 (size of the VMCS)"},
        {"EFER.LMA is not kept",        MSR(0x485), BIT(5), 0, R, A, "missing", "vmx-store-lma"},
        {"more activity states",        MSR(0x485), 0, BIT(7), A, R, "missing", "vmx-activity-shutdown"},
        {"an empty injection",          MSR(0x485), 0, BIT(30), A, R, "missing", "vmx-zero-len-inject"},
        {"another timer",               MSR(0x485), 0, BIT(1), R, R, "value", "msr.485 (rate of the preemption timer)"},
        {"more CR3 targets there",      MSR(0x485), 0, BIT(18), A, R, "value", "msr.485 (number of CR3 targets)"},
        {"longer lists of MSRs there",  MSR(0x485), 0, BIT(25), A, R, "value", "msr.485 (length of lists of MSRs)"},
        {"another MSEG",                MSR(0x485), 0, BIT(40), R, R, "value", "msr.485 (revision of the MSEG)"},
        {"made of others: PINBASED",    MSR(0x481), BIT(39), 0, A, A, NULL, NULL},
        {"made of CPUID: CR0",          MSR(0x487), BIT(5), 0, A, A, NULL, NULL},
        {"made of CPUID: CR4",          MSR(0x489), BIT(5), 0, A, A, NULL, NULL},
        {"any VMCS_ENUM",               MSR(0x48a), 0x2e, 0x30, A, A, NULL, NULL},
        {"a smaller state there",       ABILITY_NESTED_STATE, 0x2000, 0x1000, R, A, "value",
         "nested_state.size (state of a guest with a guest)"},
        {"no VMX there",                ABILITY_VMX, 1, 0, R, A, "missing", "vmx"},
};

static const Row svm_rows[] = {
        {"no nested paging there", ABILITY_SVM_EDX, BIT(0), 0, R, A, "missing", "npt"},
        {"more there",             ABILITY_SVM_EDX, 0, BIT(25), A, R, "missing", "vnmi"},
        {"another revision",       ABILITY_SVM_EAX, 0, 2, A, A, NULL, NULL},
        {"more address spaces",    ABILITY_SVM_EBX, 8, 16, A, A, NULL, NULL},
        {"a larger state there",   ABILITY_NESTED_STATE, 0, 0x2000, A, R, "value",
         "nested_state.size (state of a guest with a guest)"},
        {"no SVM there",           ABILITY_SVM, 1, 0, R, A, "missing", "svm"},
};
/* clang-format on */

static void assert_verdict(const char *what, const Ability *from, const Ability *to, AbilityVerdict verdict,
                           const Row *row) {
        g_autoptr(GPtrArray) found = NULL;

        g_test_message("%s", what);
        g_assert_cmpint(ability_compare(from, to, &found), ==, verdict);
        g_assert_cmpint(found->len > 0, ==, verdict == R);
        for (unsigned i = 0; i < found->len && i < 1; i++) {
                const AbilityDifference *difference = g_ptr_array_index(found, i);
                g_assert_cmpstr(difference->kind, ==, row->kind);
                g_assert_cmpstr(difference->feature, ==, row->feature);
                g_assert_cmpint(difference->key, ==, row->key);
        }
}

static void test_rows(const Row *rows, gsize n, Ability *(*make)(void) ) {
        for (gsize i = 0; i < n; i++) {
                g_autoptr(Ability) first = make(), second = make();
                second->value[rows[i].key] = (second->value[rows[i].key] & ~rows[i].cleared) | rows[i].set;
                assert_verdict(rows[i].what, first, second, rows[i].there, &rows[i]);
                assert_verdict(rows[i].what, second, first, rows[i].back, &rows[i]);
        }
}

static void test_vmx(void) {
        test_rows(vmx_rows, G_N_ELEMENTS(vmx_rows), made_vmx);
}

static void test_svm(void) {
        test_rows(svm_rows, G_N_ELEMENTS(svm_rows), made_svm);
}

/* Who has no timer does not care about its rate. */
static void test_timer(void) {
        g_autoptr(Ability) first = made_vmx(), second = made_vmx();

        first->value[MSR(0x48d)] &= ~BIT(38);
        second->value[MSR(0x485)] ^= BIT(1);
        g_assert_cmpint(ability_compare(first, second, NULL), ==, A);
        g_assert_cmpint(ability_compare(second, first, NULL), ==, R);
}

static void test_identical(void) {
        g_autoptr(Ability) vmx = made_vmx(), vmx_too = made_vmx(), none = made_none("intel"),
                           none_too = made_none("intel");

        g_assert_cmpint(ability_compare(vmx, vmx_too, NULL), ==, ABILITY_IDENTICAL);
        g_assert_cmpint(ability_compare(none, none_too, NULL), ==, ABILITY_IDENTICAL);
}

/* Whoever is offered nothing can run anywhere, as far as this goes. */
static void test_none(void) {
        g_autoptr(Ability) vmx = made_vmx(), svm = made_svm(), none = made_none("intel");
        const Row to_none = {.key = ABILITY_VMX, .kind = "missing", .feature = "vmx"};
        const Row to_vmx = {.key = ABILITY_SVM, .kind = "missing", .feature = "svm"};

        g_assert_cmpint(ability_compare(none, vmx, NULL), ==, A);
        g_assert_cmpint(ability_compare(none, svm, NULL), ==, A);
        assert_verdict("off there", vmx, none, R, &to_none);
        assert_verdict("another vendor", vmx, svm, R, &to_none);
        assert_verdict("and back", svm, vmx, R, &to_vmx);
}

/* A kernel that does not tell the registers, or of which somebody has left them out. */
static void test_unknown(void) {
        static const AbilityKey vital[] = {MSR(0x480), MSR(0x48b), MSR(0x48d), MSR(0x490)};
        g_autoptr(Ability) vmx = made_vmx(), svm = made_svm(), other = made_svm(), old = made_vmx();

        for (gsize i = 0; i < G_N_ELEMENTS(vital); i++) {
                g_autoptr(Ability) lacking = made_vmx(), too = made_vmx();
                lacking->known[vital[i]] = too->known[vital[i]] = false;
                g_assert_cmpint(ability_compare(vmx, lacking, NULL), ==, U);
                g_assert_cmpint(ability_compare(lacking, vmx, NULL), ==, U);
                g_assert_cmpint(ability_compare(lacking, too, NULL), ==, U);
        }
        other->known[ABILITY_SVM_EDX] = false;
        g_assert_cmpint(ability_compare(svm, other, NULL), ==, U);
        other->known[ABILITY_SVM_EDX] = true;
        other->architecture = "i686";
        g_assert_cmpint(ability_compare(svm, other, NULL), ==, U);
        /* The register of VM functions came later: without it there are none. */
        old->known[MSR(0x491)] = false;
        g_assert_cmpint(ability_compare(old, vmx, NULL), ==, A);
        g_assert_cmpint(ability_compare(vmx, old, NULL), ==, R);
}

static void test_words(void) {
        g_assert_cmpstr(ability_verdict_to_string(U), ==, "unknown");
        g_assert_cmpstr(ability_verdict_to_string(R), ==, "refuses");
        g_assert_cmpstr(ability_verdict_to_string(A), ==, "accepts");
        g_assert_cmpstr(ability_verdict_to_string(ABILITY_IDENTICAL), ==, "identical");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/ability-compare/vmx", test_vmx);
        g_test_add_func("/ability-compare/svm", test_svm);
        g_test_add_func("/ability-compare/timer", test_timer);
        g_test_add_func("/ability-compare/identical", test_identical);
        g_test_add_func("/ability-compare/none", test_none);
        g_test_add_func("/ability-compare/unknown", test_unknown);
        g_test_add_func("/ability-compare/words", test_words);
        return g_test_run();
}
