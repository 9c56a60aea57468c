/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules, a function for each kind of register. */

#include "ability-compare.h"
#include "ability-names.h"

#define BITS(low, high) ((G_MAXUINT64 >> (63 - (high))) & (G_MAXUINT64 << (low)))
#define BIT(n) BITS(n, n)
#define LOW_HALF BITS(0, 31)
#define HIGH_HALF BITS(32, 63)

#define MSR_BASIC 0x480U
#define MSR_MISC 0x485U
#define MSR_TRUE_PIN 0x48dU
#define PIN_PREEMPTION_TIMER BIT(38)

typedef struct Fit {
        const Ability *from, *to;
        GPtrArray *found;
} Fit;

static void difference_free(gpointer data) {
        AbilityDifference *difference = data;

        g_free(difference->feature);
        g_free(difference);
}

static void add(const Fit *c, AbilityKey key, unsigned bit, const char *kind, char *feature) {
        AbilityDifference *difference = g_new(AbilityDifference, 1);

        *difference = (AbilityDifference) {.key = key, .bit = bit, .kind = kind, .feature = feature};
        g_ptr_array_add(c->found, difference);
}

/* What is not told is not offered: the register came with a later kernel. */
static guint64 value_of(const Ability *ability, AbilityKey key) {
        return ability->known[key] ? ability->value[key] : 0;
}

static guint64 field(guint64 value, unsigned low, unsigned high) {
        return (value & BITS(low, high)) >> low;
}

/* is_bitwise_subset(): all that @from has, @to has to have. */
static void compare_offers(const Fit *c, AbilityKey key, guint64 mask) {
        const guint64 lacking = value_of(c->from, key) & ~value_of(c->to, key) & mask;

        for (unsigned bit = 0; bit < 64; bit++)
                if (lacking >> bit & 1)
                        add(c, key, bit, "missing", ability_feature(key, bit));
}

/* The other way round: what @to wants to be set, @from has to have. Names are of the bit in the
 * high half of a control. */
static void compare_requirements(const Fit *c, AbilityKey key, guint64 mask, unsigned shift) {
        const guint64 lacking = value_of(c->to, key) & ~value_of(c->from, key) & mask;

        for (unsigned bit = 0; bit < 64; bit++)
                if (lacking >> bit & 1)
                        add(c, key, bit, "required", ability_feature(key, bit + shift));
}

/* vmx_restore_control_msr(): the low half says what must be 1, the high half what may be. */
static void compare_control(const Fit *c, AbilityKey key) {
        compare_requirements(c, key, LOW_HALF, 32);
        compare_offers(c, key, HIGH_HALF);
}

/* vmx_restore_fixed0_msr(). */
static void compare_fixed0(const Fit *c, AbilityKey key) {
        compare_requirements(c, key, G_MAXUINT64, 0);
}

/* vmx_restore_vmx_ept_vpid_cap(), and MSR_IA32_VMX_VMFUNC. */
static void compare_plain(const Fit *c, AbilityKey key) {
        compare_offers(c, key, G_MAXUINT64);
}

static void expect(const Fit *c, AbilityKey key, bool right, const char *what) {
        if (!right)
                add(c, key, 64, "value", g_strdup_printf("%s (%s)", ability_name(key), what));
}

/* vmx_restore_vmx_basic(). */
static void compare_basic(const Fit *c, AbilityKey key) {
        const guint64 from = value_of(c->from, key), to = value_of(c->to, key);

        compare_offers(c, key, BIT(31) | BITS(45, 47) | BIT(49) | BITS(54, 63));
        expect(c, key, (from & BIT(48)) == 0, "addresses of 32 bits");
        expect(c, key, field(from, 0, 30) == field(to, 0, 30), "revision of the VMCS");
        expect(c, key, field(to, 32, 44) <= field(from, 32, 44), "size of the VMCS");
}

/* vmx_restore_vmx_misc(); the pin-based controls have been set before, as @from has them. */
static void compare_misc(const Fit *c, AbilityKey key) {
        const guint64 from = value_of(c->from, key), to = value_of(c->to, key);
        const guint64 pin = value_of(c->from, ability_msr(MSR_TRUE_PIN));

        compare_offers(c, key, BITS(5, 15) | BITS(28, 31));
        expect(c, key, (pin & PIN_PREEMPTION_TIMER) == 0 || field(from, 0, 4) == field(to, 0, 4),
               "rate of the preemption timer");
        expect(c, key, field(from, 16, 24) <= field(to, 16, 24), "number of CR3 targets");
        expect(c, key, field(from, 25, 27) <= field(to, 25, 27), "length of lists of MSRs");
        expect(c, key, field(from, 32, 63) == field(to, 32, 63), "revision of the MSEG");
}

static const struct {
        guint32 msr;
        void (*compare)(const Fit *c, AbilityKey key);
        bool vital; /* all kernels tell it that tell any */
} rules[] = {
                {MSR_BASIC, compare_basic, true},      {MSR_MISC, compare_misc, true},
                {0x486, compare_fixed0, true},                                         /* CR0 */
                {0x488, compare_fixed0, true},                                         /* CR4 */
                {0x48b, compare_control, true},                                        /* secondary processor-based */
                {0x48c, compare_plain, true},                                          /* EPT and VPID */
                {MSR_TRUE_PIN, compare_control, true}, {0x48e, compare_control, true}, /* processor-based */
                {0x48f, compare_control, true},                                        /* VM exit */
                {0x490, compare_control, true},                                        /* VM entry */
                {0x491, compare_plain, false},                                         /* VM functions */
};

/* Whether it tells what it offers. */
static bool tells(const Ability *ability) {
        for (gsize i = 0; ability->value[ABILITY_VMX] && i < G_N_ELEMENTS(rules); i++)
                if (rules[i].vital && !ability->known[ability_msr(rules[i].msr)])
                        return false;
        return !ability->value[ABILITY_SVM] || ability->known[ABILITY_SVM_EDX];
}

static void compare(const Fit *c) {
        compare_offers(c, ABILITY_SVM, 1);
        compare_offers(c, ABILITY_VMX, 1);
        /* Without the one there is nothing to say of the others. */
        if (c->found->len > 0)
                return;
        if (c->from->value[ABILITY_SVM])
                compare_offers(c, ABILITY_SVM_EDX, LOW_HALF);
        for (gsize i = 0; c->from->value[ABILITY_VMX] && i < G_N_ELEMENTS(rules); i++)
                rules[i].compare(c, ability_msr(rules[i].msr));
        expect(c, ABILITY_NESTED_STATE,
               value_of(c->from, ABILITY_NESTED_STATE) <= value_of(c->to, ABILITY_NESTED_STATE),
               "state of a guest with a guest");
}

AbilityVerdict ability_compare(const Ability *from, const Ability *to, GPtrArray **ret) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(difference_free);
        AbilityVerdict verdict = ABILITY_ACCEPTS;

        if (ability_equal(from, to))
                verdict = tells(from) ? ABILITY_IDENTICAL : ABILITY_UNKNOWN;
        else if (from->architecture != to->architecture || !tells(from) || !tells(to))
                verdict = ABILITY_UNKNOWN;
        else {
                compare(&(Fit) {.from = from, .to = to, .found = found});
                if (found->len > 0)
                        verdict = ABILITY_REFUSES;
        }
        if (ret)
                *ret = g_steal_pointer(&found);
        return verdict;
}

const char *ability_verdict_to_string(AbilityVerdict verdict) {
        static const char *const words[] = {"unknown", "refuses", "accepts", "identical"};

        return words[verdict];
}
