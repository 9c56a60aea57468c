/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which parameter makes up for a difference, and what is told of this host and of others. */

#include "error.h"
#include "fingerprint.h"
#include "made-ability.h"
#include "made-host.h"

#define MSR(address) (ABILITY_MSR + ((address) - ABILITY_MSR_FIRST))
#define BIT(n) (1ULL << (n))

static Fingerprint *make(Ability *ability) {
        Fingerprint *fingerprint = fingerprint_new();

        ability_free(fingerprint->ability);
        fingerprint->ability = ability;
        return fingerprint;
}

typedef struct Row {
        const char *what;
        bool amd;
        AbilityKey key;
        guint64 lacking;    /* at the host that the guest is to go to */
        const char *off[2]; /* parameters that are off there */
        const char *remedy; /* of the last difference; NULL: none */
        bool there;
} Row;

/* clang-format off */
static const Row rows[] = {
        {"nested is off there",         false, ABILITY_VMX, 1, {"kvm_intel.nested"}, "kvm_intel.nested=1", true},
        {"nested, nobody knows why",    false, ABILITY_VMX, 1, {NULL}, "kvm_intel.nested=0", false},
        {"ept is off there",            false, MSR(0x48b), BIT(33), {"kvm_intel.ept"}, "kvm_intel.ept=1", true},
        {"ept, and what needs it",      false, MSR(0x48b), BIT(33) | BIT(39), {NULL}, "kvm_intel.ept=0", false},
        {"the same where it is off",    false, MSR(0x48b), BIT(33) | BIT(39),
         {"kvm_intel.ept", "kvm_intel.unrestricted_guest"}, "kvm_intel.ept=1", true},
        {"unrestricted_guest alone",    false, MSR(0x48b), BIT(39), {NULL}, "kvm_intel.unrestricted_guest=0", false},
        {"the same where it is off",    false, MSR(0x48b), BIT(39), {"kvm_intel.unrestricted_guest"},
         "kvm_intel.unrestricted_guest=1", true},
        {"accessed and dirty bits",     false, MSR(0x48c), BIT(21), {NULL}, "kvm_intel.eptad=0", false},
        {"EPT's pages",                 false, MSR(0x48c), BIT(17), {NULL}, "kvm_intel.ept=0", false},
        {"INVVPID",                     false, MSR(0x48c), BIT(40), {"kvm_intel.vpid"}, "kvm_intel.vpid=1", true},
        {"posted interrupts",           false, MSR(0x48d), BIT(39), {"kvm_intel.enable_apicv"},
         "kvm_intel.enable_apicv=1", true},
        {"virtual interrupt delivery",  false, MSR(0x48b), BIT(41), {"kvm_intel.enable_apicv"}, NULL, false},
        {"shadow VMCS",                 false, MSR(0x48b), BIT(46), {NULL}, NULL, false},
        {"a value",                     false, ABILITY_NESTED_STATE, 0x2000, {NULL}, NULL, false},
        {"nested paging",               true, ABILITY_SVM_EDX, BIT(0), {NULL}, "kvm_amd.npt=0", false},
        {"nested paging is off there",  true, ABILITY_SVM_EDX, BIT(0), {"kvm_amd.npt"}, "kvm_amd.npt=1", true},
        {"nrip-save",                   true, ABILITY_SVM_EDX, BIT(3), {NULL}, "kvm_amd.nrips=0", false},
        {"vls goes with npt",           true, ABILITY_SVM_EDX, BIT(15), {"kvm_amd.npt", "kvm_amd.vls"},
         "kvm_amd.npt=1", true},
        {"vls alone",                   true, ABILITY_SVM_EDX, BIT(15), {NULL}, "kvm_amd.vls=0", false},
        {"nothing is to be done",       true, ABILITY_SVM_EDX, BIT(10), {NULL}, NULL, false},
};
/* clang-format on */

static void test_remedies(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                Ability *(*made)(void) = rows[i].amd ? made_svm : made_vmx;
                g_autoptr(Fingerprint) from = make(made()), to = make(made());
                g_autoptr(GPtrArray) found = NULL;
                bool there = false;

                to->ability->value[rows[i].key] &= ~rows[i].lacking;
                for (unsigned j = 0; j < G_N_ELEMENTS(rows[i].off) && rows[i].off[j]; j++)
                        fingerprint_add_parameter(to, rows[i].off[j], "0");
                g_assert_cmpint(ability_compare(from->ability, to->ability, &found), ==, ABILITY_REFUSES);
                g_autofree char *remedy =
                                fingerprint_remedy(from, to, g_ptr_array_index(found, found->len - 1), &there);
                g_test_message("%s", rows[i].what);
                g_assert_cmpstr(remedy, ==, rows[i].remedy);
                g_assert_cmpint(there, ==, rows[i].there);
        }
}

/* A guest that does without has to be given what the host wants: no parameter does that. */
static void test_required(void) {
        g_autoptr(Fingerprint) from = make(made_vmx()), to = make(made_vmx());
        g_autoptr(GPtrArray) found = NULL;
        bool there = false;

        to->ability->value[MSR(0x48b)] |= BIT(1);
        g_assert_cmpint(ability_compare(from->ability, to->ability, &found), ==, ABILITY_REFUSES);
        g_assert_null(fingerprint_remedy(from, to, g_ptr_array_index(found, 0), &there));
}

/* Of those that are told only what counts is kept. */
static void test_told(void) {
        g_autoptr(Fingerprint) told = fingerprint_new(), other = make(made_svm());
        g_autofree char *sum = ability_sha256(other->ability);
        g_autoptr(GError) error = NULL;

        fingerprint_add_parameter(told, "kvm_amd.npt", "0");
        fingerprint_add_parameter(told, "kvm_amd.npt", "1");
        fingerprint_add_parameter(told, "kvm_amd.avic", "0");
        fingerprint_add_parameter(told, "npt", "0");
        g_assert_cmpuint(g_hash_table_size(told->parameters), ==, 1);
        g_assert_cmpstr(g_hash_table_lookup(told->parameters, "kvm_amd.npt"), ==, "1");
        g_assert_false(fingerprint_is_whole(told, NULL, NULL));
        g_assert_false(fingerprint_add_ability(told, "svm", "yes", NULL));
        g_assert_true(fingerprint_is_whole(other, NULL, NULL));
        g_assert_true(fingerprint_is_whole(other, sum, NULL));
        other->ability->value[ABILITY_SVM_EDX] ^= 1;
        g_assert_false(fingerprint_is_whole(other, sum, &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
}

#define SVM_OFFERED                                                 \
        "0x00000001 0x00: eax=0x0 ebx=0x0 ecx=0x0 edx=0x0\n"        \
        "0x80000001 0x00: eax=0x0 ebx=0x0 ecx=0x00000004 edx=0x0\n" \
        "0x8000000a 0x00: eax=0x00000001 ebx=0x00000008 ecx=0x0 edx=0x00000009\n"
#define LOADED                                                                                               \
        "kvm_amd.nested=1 kvm_amd.npt=1 kvm_amd.lbrv=0 kvm_amd.nrips=1 kvm_amd.tsc_scaling=0 kvm_amd.vls=0 " \
        "kvm_amd.vgif=0 kvm_amd.vnmi=N kvm_amd.avic=0 kvm.ignore_msrs=N"

static void test_of_host(void) {
        g_autoptr(Host) host = made_host(&(MadeHost) {.kvm_cpuid = SVM_OFFERED, .loaded = LOADED});
        g_autoptr(GError) error = NULL;
        g_autoptr(Fingerprint) here = fingerprint_of_host(host, &error);

        g_assert_no_error(error);
        g_assert_cmphex(here->ability->value[ABILITY_SVM_EDX], ==, 9);
        g_assert_true(ability_offers(here->ability));
        g_assert_cmpstr(here->release, ==, host->release);
        /* Normalised, and of those alone on which the ability depends: all the catalogue has. */
        g_assert_cmpuint(g_hash_table_size(here->parameters), ==, 8);
        g_assert_cmpstr(g_hash_table_lookup(here->parameters, "kvm_amd.nested"), ==, "1");
        g_assert_cmpstr(g_hash_table_lookup(here->parameters, "kvm_amd.vnmi"), ==, "0");
}

static void test_of_a_host_that_was_not_asked(void) {
        g_autoptr(Host) host = made_host(&(MadeHost) {.loaded = LOADED});
        g_autoptr(GError) error = NULL;

        g_assert_null(fingerprint_of_host(host, &error));
        g_assert_error(error, CONDITION, CONDITION_UNSUPPORTED);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/fingerprint/remedies", test_remedies);
        g_test_add_func("/fingerprint/required", test_required);
        g_test_add_func("/fingerprint/told", test_told);
        g_test_add_func("/fingerprint/of-host", test_of_host);
        g_test_add_func("/fingerprint/not-asked", test_of_a_host_that_was_not_asked);
        return g_test_run();
}
