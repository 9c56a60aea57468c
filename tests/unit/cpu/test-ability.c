/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An ability out of facts and out of texts, its text and its checksum, and the names of its
 * bits. */

#include <string.h>

#include "ability-names.h"
#include "error.h"
#include "made-ability.h"

/* sha256sum of {"architecture":"x86_64","cpuid.8000000a.eax":"0x1",… */
#define SUM_OF_MADE_SVM "f75a28ec627e683932a836ab452bc057d85deba66bf9a0f15e4e7c48af4986bb"

static void put_leaf(CpuFacts *facts, guint32 leaf, guint32 ecx, guint32 edx) {
        const CpuidLeaf entry = {.leaf = leaf, .registers = {1, 8, ecx, edx}};

        if (!facts->kvm_cpuid)
                facts->kvm_cpuid = g_array_new(FALSE, FALSE, sizeof(CpuidLeaf));
        g_array_append_val(facts->kvm_cpuid, entry);
}

static void put_msr(GArray **msrs, guint32 address, guint64 value) {
        const CpuMsr entry = {.address = address, .value = value};

        if (!*msrs)
                *msrs = g_array_new(FALSE, FALSE, sizeof(CpuMsr));
        g_array_append_val(*msrs, entry);
}

static CpuFacts *make_facts(bool vmx, bool svm) {
        CpuFacts *facts = cpu_facts_new();

        put_leaf(facts, 1, vmx ? 1U << 5 : 0, 0);
        put_leaf(facts, 0x80000001, svm ? 1U << 2 : 0, 0);
        put_leaf(facts, 0x8000000a, 0, 0x9);
        put_msr(&facts->kvm_msr, 0x10a, 5);
        put_msr(&facts->kvm_msr, 0x480, 0xabc);
        put_msr(&facts->kvm_msr, 0x491, 0);
        put_msr(&facts->kvm_msr, 0x492, 7);
        put_msr(&facts->kvm_cap, 157, 0x2080);
        return facts;
}

static void assert_json(const CpuFacts *facts, const char *vendor, const char *expected) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Ability) ability = ability_read(facts, "x86_64", vendor, &error);
        g_autofree char *json = NULL;

        g_assert_no_error(error);
        json = ability_json(ability);
        g_assert_cmpstr(json, ==, expected);
}

/* What is not offered has no details. */
static void test_read(void) {
        g_autoptr(CpuFacts) vmx = make_facts(true, false), svm = make_facts(false, true),
                            none = make_facts(false, false);

        assert_json(vmx, "intel",
                    "{\"architecture\":\"x86_64\",\"msr.480\":\"0xabc\",\"msr.491\":\"0x0\","
                    "\"nested_state.size\":\"0x2080\",\"schema\":\"0x1\",\"svm\":\"0x0\",\"vendor\":\"intel\","
                    "\"vmx\":\"0x1\"}");
        assert_json(svm, "amd",
                    "{\"architecture\":\"x86_64\",\"cpuid.8000000a.eax\":\"0x1\",\"cpuid.8000000a.ebx\":\"0x8\","
                    "\"cpuid.8000000a.edx\":\"0x9\",\"nested_state.size\":\"0x2080\",\"schema\":\"0x1\","
                    "\"svm\":\"0x1\",\"vendor\":\"amd\",\"vmx\":\"0x0\"}");
        assert_json(none, "amd",
                    "{\"architecture\":\"x86_64\",\"schema\":\"0x1\",\"svm\":\"0x0\",\"vendor\":\"amd\",\"vmx\":"
                    "\"0x0\"}");
}

static void test_unknown(void) {
        static const struct {
                const char *architecture, *vendor;
                bool asked;
                const char *says;
        } rows[] = {
                        {"aarch64", "", true, "x86 alone"},
                        {"x86_64", "", true, "x86 alone"},
                        {"x86_64", "amd", false, "could not be asked"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(CpuFacts) facts = rows[i].asked ? make_facts(false, true) : cpu_facts_new();
                g_autoptr(GError) error = NULL;
                g_assert_null(ability_read(facts, rows[i].architecture, rows[i].vendor, &error));
                g_assert_error(error, CONDITION, CONDITION_UNSUPPORTED);
                g_assert_nonnull(strstr(error->message, rows[i].says));
        }
}

/* The text says all of it, and its checksum is one that others come to as well. */
static void test_text(void) {
        g_autoptr(Ability) svm = made_svm(), again = ability_new(), other = made_svm();
        g_autofree char *sum = ability_sha256(svm), *sum_again = NULL, *sum_other = NULL;
        g_autoptr(GError) error = NULL;

        for (unsigned key = 0; key < ABILITY_KEYS; key++) {
                g_autofree char *text = ability_text(svm, key);
                g_assert_cmpint(text != NULL, ==, svm->known[key]);
                if (text)
                        (void) ability_add(again, ability_name(key), text, &error);
                g_assert_no_error(error);
                if (key > 0)
                        g_assert_cmpstr(ability_name(key - 1), <, ability_name(key));
        }
        g_assert_true(ability_is_whole(again, &error));
        g_assert_true(ability_equal(svm, again));
        sum_again = ability_sha256(again);
        g_assert_cmpstr(sum, ==, sum_again);
        g_assert_cmpstr(sum, ==, SUM_OF_MADE_SVM);
        other->value[ABILITY_SVM_EDX] ^= 1;
        sum_other = ability_sha256(other);
        g_assert_cmpstr(sum, !=, sum_other);
        g_assert_false(ability_equal(svm, other));
}

static void test_add(void) {
        static const struct {
                const char *name, *text;
                bool good;
        } rows[] = {
                        {"msr.480", "0xffffffffffffffff", true},
                        {"msr.480", "0x0", true},
                        {"architecture", "i686", true},
                        {"vendor", "amd", true},
                        {"msr.480", "0x10000000000000000", false},
                        {"msr.480", "0x00", false},
                        {"msr.480", "0xABC", false},
                        {"msr.480", "0x-1", false},
                        {"msr.480", "0x", false},
                        {"msr.480", "12", false},
                        {"msr.480", "", false},
                        {"msr.492", "0x0", false},
                        {"MSR.480", "0x0", false},
                        {"", "0x0", false},
                        {"architecture", "0x1", false},
                        {"vendor", "via", false},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(Ability) ability = ability_new();
                g_autoptr(GError) error = NULL, twice = NULL;
                g_assert_cmpint(ability_add(ability, rows[i].name, rows[i].text, &error), ==, rows[i].good);
                if (rows[i].good) {
                        g_assert_no_error(error);
                        g_assert_false(ability_add(ability, rows[i].name, rows[i].text, &twice));
                        g_assert_error(twice, CONDITION, CONDITION_INVALID_ARGS);
                } else
                        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
        }
}

static void test_whole(void) {
        static const AbilityKey vital[] = {ABILITY_ARCHITECTURE, ABILITY_SCHEMA, ABILITY_SVM, ABILITY_VENDOR,
                                           ABILITY_VMX};
        g_autoptr(Ability) newer = made_svm();
        g_autoptr(GError) error = NULL;

        for (gsize i = 0; i < G_N_ELEMENTS(vital); i++) {
                g_autoptr(Ability) ability = made_svm();
                g_autoptr(GError) lacking = NULL;
                ability->known[vital[i]] = false;
                g_assert_false(ability_is_whole(ability, &lacking));
                g_assert_error(lacking, CONDITION, CONDITION_INVALID_ARGS);
        }
        newer->value[ABILITY_SCHEMA] = 2;
        g_assert_false(ability_is_whole(newer, &error));
        g_assert_nonnull(strstr(error->message, "schema 2"));
}

static void assert_features(Ability *ability, const char *expected) {
        g_auto(GStrv) features = ability_features(ability);
        g_autofree char *all = g_strjoinv(" ", features);

        g_assert_cmpstr(all, ==, expected);
        ability_free(ability);
}

static void test_features(void) {
        assert_features(made_none("amd"), "");
        assert_features(made_svm(),
                        "lbrv npt nrip-save pause-filter pfthreshold svm svme-addr-chk tsc-scale v-vmsave-vmload "
                        "vgif vmcb-clean");
        g_autoptr(Ability) vmx = made_vmx();
        g_auto(GStrv) features = ability_features(vmx);
        const char *const *all = (const char *const *) features;
        g_assert_true(g_strv_contains(all, "vmx-shadow-vmcs"));
        g_assert_true(g_strv_contains(all, "vmx-apicv-vid"));
        g_assert_true(g_strv_contains(all, "vmx-posted-intr"));
        g_assert_true(g_strv_contains(all, "vmx-eptp-switching"));
        g_assert_true(g_strv_contains(all, "vmx"));
        g_assert_false(g_strv_contains(all, "vmx-ple"));
        for (unsigned i = 1; features[i]; i++)
                g_assert_cmpstr(features[i - 1], <, features[i]);
}

static void test_names(void) {
        static const struct {
                AbilityKey key;
                unsigned bit;
                const char *name;
        } rows[] = {
                        {ABILITY_MSR + 0xb, 46, "vmx-shadow-vmcs"},       {ABILITY_MSR + 0xb, 14, "msr.48b bit 14"},
                        {ABILITY_MSR + 0xc, 14, "msr.48c bit 14"},        {ABILITY_SVM_EDX, 3, "nrip-save"},
                        {ABILITY_SVM_EDX, 8, "cpuid.8000000a.edx bit 8"},
        };

        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *name = ability_feature(rows[i].key, rows[i].bit);
                g_assert_cmpstr(name, ==, rows[i].name);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/ability/read", test_read);
        g_test_add_func("/ability/unknown", test_unknown);
        g_test_add_func("/ability/text", test_text);
        g_test_add_func("/ability/add", test_add);
        g_test_add_func("/ability/whole", test_whole);
        g_test_add_func("/ability/features", test_features);
        g_test_add_func("/ability/names", test_names);
        return g_test_run();
}
