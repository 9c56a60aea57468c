/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the ability out of the facts or out of texts, and writes it. What its bits are called and
 * whether one fits the other is not known here. */

#include <string.h>

#include "ability.h"
#include "error.h"

/* Of linux/kvm.h. */
#define CAP_NESTED_STATE 157U
#define TEXT_MAX 18U /* 64 bits */

static const char *const names[ABILITY_KEYS] = {
                "architecture",
                "cpuid.8000000a.eax",
                "cpuid.8000000a.ebx",
                "cpuid.8000000a.edx",
                "msr.480",
                "msr.481",
                "msr.482",
                "msr.483",
                "msr.484",
                "msr.485",
                "msr.486",
                "msr.487",
                "msr.488",
                "msr.489",
                "msr.48a",
                "msr.48b",
                "msr.48c",
                "msr.48d",
                "msr.48e",
                "msr.48f",
                "msr.490",
                "msr.491",
                "nested_state.size",
                "schema",
                "svm",
                "vendor",
                "vmx",
};

static const char *const architectures[] = {"x86_64", "i686", NULL};
static const char *const vendors[] = {"intel", "amd", NULL};

static const char *word_of(const char *const *words, const char *text) {
        for (; *words; words++)
                if (g_str_equal(*words, text))
                        return *words;
        return NULL;
}

Ability *ability_new(void) {
        return g_new0(Ability, 1);
}

void ability_free(Ability *ability) {
        g_free(ability);
}

static void put(Ability *ability, AbilityKey key, guint64 value) {
        ability->known[key] = true;
        ability->value[key] = value;
}

static void put_words(Ability *ability, const char *architecture, const char *vendor) {
        ability->architecture = word_of(architectures, architecture);
        ability->vendor = word_of(vendors, vendor);
        ability->known[ABILITY_ARCHITECTURE] = ability->architecture;
        ability->known[ABILITY_VENDOR] = ability->vendor;
}

static void put_registers(Ability *ability, const CpuFacts *facts) {
        for (guint32 address = ABILITY_MSR_FIRST; address <= ABILITY_MSR_LAST; address++) {
                const CpuMsr *msr = msr_find(facts->kvm_msr, address);
                if (msr)
                        put(ability, ability_msr(address), msr->value);
        }
}

static void put_leaf(Ability *ability, const CpuFacts *facts) {
        const CpuidLeaf *leaf = cpuid_find(facts->kvm_cpuid, 0x8000000aU);

        if (!leaf)
                return;
        put(ability, ABILITY_SVM_EAX, leaf->registers[CPU_EAX]);
        put(ability, ABILITY_SVM_EBX, leaf->registers[CPU_EBX]);
        put(ability, ABILITY_SVM_EDX, leaf->registers[CPU_EDX]);
}

Ability *ability_read(const CpuFacts *facts, const char *architecture, const char *vendor, GError **error) {
        const CpuidLeaf *basic = cpuid_find(facts->kvm_cpuid, 1), *more = cpuid_find(facts->kvm_cpuid, 0x80000001U);
        const CpuMsr *size = msr_find(facts->kvm_cap, CAP_NESTED_STATE);
        g_autoptr(Ability) ability = ability_new();

        put_words(ability, architecture, vendor);
        if (!ability->architecture || !ability->vendor || !basic) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "%s",
                            !ability->architecture || !ability->vendor
                                            ? "What KVM offers to nested guests can be told of x86 alone"
                                            : "KVM does not tell what it offers: /dev/kvm could not be asked, "
                                              "nestvirtctl check says why");
                return NULL;
        }
        put(ability, ABILITY_SCHEMA, ABILITY_SCHEMA_VERSION);
        put(ability, ABILITY_VMX, basic->registers[CPU_ECX] >> 5 & 1);
        put(ability, ABILITY_SVM, more ? more->registers[CPU_ECX] >> 2 & 1 : 0);
        /* What is not offered has no details, whatever the kernel says of them. */
        if (ability->value[ABILITY_VMX])
                put_registers(ability, facts);
        if (ability->value[ABILITY_SVM])
                put_leaf(ability, facts);
        if (ability_offers(ability) && size)
                put(ability, ABILITY_NESTED_STATE, size->value);
        return g_steal_pointer(&ability);
}

static bool read_number(const char *text, guint64 *ret) {
        g_autofree char *again = NULL;

        if (!g_str_has_prefix(text, "0x") || strnlen(text, TEXT_MAX + 1) > TEXT_MAX ||
            !g_ascii_string_to_unsigned(text + 2, 16, 0, G_MAXUINT64, ret, NULL))
                return false;
        /* There is one way of writing a number. */
        again = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", *ret);
        return g_str_equal(again, text);
}

static bool take(Ability *ability, AbilityKey key, const char *text) {
        if (key == ABILITY_ARCHITECTURE)
                return (ability->architecture = word_of(architectures, text)) != NULL;
        if (key == ABILITY_VENDOR)
                return (ability->vendor = word_of(vendors, text)) != NULL;
        return read_number(text, &ability->value[key]);
}

bool ability_add(Ability *ability, const char *name, const char *text, GError **error) {
        g_autofree char *word = error_quote(name);

        for (unsigned key = 0; key < ABILITY_KEYS; key++) {
                if (!g_str_equal(names[key], name))
                        continue;
                if (!ability->known[key] && take(ability, key, text)) {
                        ability->known[key] = true;
                        return true;
                }
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "%s of the fingerprint is told twice, or is not as it is written by GetFingerprint", word);
                return false;
        }
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                    "The fingerprint has %s, which this version does not know: a newer one has written it", word);
        return false;
}

bool ability_is_whole(const Ability *ability, GError **error) {
        if (ability->known[ABILITY_SCHEMA] && ability->value[ABILITY_SCHEMA] != ABILITY_SCHEMA_VERSION) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The fingerprint has the schema %" G_GUINT64_FORMAT ", this version knows %u",
                            ability->value[ABILITY_SCHEMA], ABILITY_SCHEMA_VERSION);
                return false;
        }
        if (ability->known[ABILITY_ARCHITECTURE] && ability->known[ABILITY_SCHEMA] && ability->known[ABILITY_SVM] &&
            ability->known[ABILITY_VENDOR] && ability->known[ABILITY_VMX])
                return true;
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The fingerprint lacks what all have: architecture, schema, svm, vendor, vmx");
        return false;
}

const char *ability_name(AbilityKey key) {
        return names[key];
}

char *ability_text(const Ability *ability, AbilityKey key) {
        if (!ability->known[key])
                return NULL;
        if (key == ABILITY_ARCHITECTURE)
                return g_strdup(ability->architecture);
        if (key == ABILITY_VENDOR)
                return g_strdup(ability->vendor);
        return g_strdup_printf("0x%" G_GINT64_MODIFIER "x", ability->value[key]);
}

bool ability_offers(const Ability *ability) {
        return ability->value[ABILITY_VMX] != 0 || ability->value[ABILITY_SVM] != 0;
}

bool ability_equal(const Ability *a, const Ability *b) {
        g_autofree char *text_a = ability_json(a), *text_b = ability_json(b);

        return g_str_equal(text_a, text_b);
}

/* Neither names nor values have anything in them that JSON escapes. */
char *ability_json(const Ability *ability) {
        GString *json = g_string_new("{");

        for (unsigned key = 0; key < ABILITY_KEYS; key++) {
                g_autofree char *text = ability_text(ability, key);
                if (text)
                        g_string_append_printf(json, "%s\"%s\":\"%s\"", json->len > 1 ? "," : "", names[key], text);
        }
        return g_string_free(g_string_append_c(json, '}'), FALSE);
}

char *ability_sha256(const Ability *ability) {
        g_autofree char *json = ability_json(ability);

        return g_compute_checksum_for_string(G_CHECKSUM_SHA256, json, -1);
}
