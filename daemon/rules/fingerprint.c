/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which parameter an offer depends on, and the fingerprint of this host. From
 * nested_vmx_setup_ctls_msrs() in arch/x86/kvm/vmx/nested.c and svm_set_cpu_caps() in
 * arch/x86/kvm/svm/svm.c, Linux 6.1.176. enable_shadow_vmcs is not among them: KVM emulates the
 * shadow VMCS, and offers it in any case. Neither is enable_apicv but for posted interrupts. */

#include <string.h>

#include "error.h"
#include "fingerprint.h"

#define MODULE_INTEL "kvm_intel"
#define MODULE_AMD "kvm_amd"

/* What lies within @mask of the value under @key depends on these switches: the first one, and
 * where there are two the second one is for this alone, and is off while the first is. */
static const struct {
        const char *module;
        const char *switches[2];
        AbilityKey key;
        guint64 mask;
} dependents[] = {
                {MODULE_INTEL, {"nested"}, ABILITY_VMX, 1},
                {MODULE_INTEL, {"enable_apicv"}, ABILITY_MSR + 0x0d, 1ULL << 39},
                {MODULE_INTEL, {"ept"}, ABILITY_MSR + 0x0b, 1ULL << 33},
                {MODULE_INTEL, {"ept", "eptad"}, ABILITY_MSR + 0x0b, 1ULL << 49},
                {MODULE_INTEL, {"ept", "eptad"}, ABILITY_MSR + 0x0c, 1ULL << 21},
                {MODULE_INTEL, {"ept", "unrestricted_guest"}, ABILITY_MSR + 0x0b, 1ULL << 39},
                {MODULE_INTEL, {"ept"}, ABILITY_MSR + 0x0c, 0xffffffffULL},
                {MODULE_INTEL, {"ept"}, ABILITY_MSR + 0x11, 1},
                {MODULE_INTEL, {"vpid"}, ABILITY_MSR + 0x0b, 1ULL << 37},
                {MODULE_INTEL, {"vpid"}, ABILITY_MSR + 0x0c, 0xffffffffULL << 32},
                {MODULE_INTEL, {"flexpriority"}, ABILITY_MSR + 0x0b, 1ULL << 32},
                {MODULE_INTEL, {"sgx"}, ABILITY_MSR + 0x0b, 1ULL << 47},
                {MODULE_AMD, {"nested"}, ABILITY_SVM, 1},
                {MODULE_AMD, {"npt"}, ABILITY_SVM_EDX, 1ULL << 0},
                {MODULE_AMD, {"lbrv"}, ABILITY_SVM_EDX, 1ULL << 1},
                {MODULE_AMD, {"nrips"}, ABILITY_SVM_EDX, 1ULL << 3},
                {MODULE_AMD, {"tsc_scaling"}, ABILITY_SVM_EDX, 1ULL << 4},
                {MODULE_AMD, {"npt", "vls"}, ABILITY_SVM_EDX, 1ULL << 15},
                {MODULE_AMD, {"vgif"}, ABILITY_SVM_EDX, 1ULL << 16},
                {MODULE_AMD, {"vgif", "vnmi"}, ABILITY_SVM_EDX, 1ULL << 25},
};

Fingerprint *fingerprint_new(void) {
        Fingerprint *fingerprint = g_new0(Fingerprint, 1);

        fingerprint->ability = ability_new();
        fingerprint->release = g_strdup("");
        fingerprint->model = g_strdup("");
        fingerprint->parameters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        return fingerprint;
}

void fingerprint_free(Fingerprint *fingerprint) {
        if (!fingerprint)
                return;
        ability_free(fingerprint->ability);
        g_free(fingerprint->release);
        g_free(fingerprint->model);
        g_hash_table_unref(fingerprint->parameters);
        g_free(fingerprint);
}

bool fingerprint_add_ability(Fingerprint *fingerprint, const char *name, const char *text, GError **error) {
        return ability_add(fingerprint->ability, name, text, error);
}

bool fingerprint_is_whole(const Fingerprint *fingerprint, const char *sha256, GError **error) {
        g_autofree char *right = NULL;

        if (!ability_is_whole(fingerprint->ability, error))
                return false;
        right = ability_sha256(fingerprint->ability);
        if (!sha256 || g_str_equal(sha256, right))
                return true;
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS,
                            "The fingerprint is not what was read: its checksum is another one");
        return false;
}

static char *full_name(const char *module, const char *name) {
        return g_strdup_printf("%s.%s", module, name);
}

void fingerprint_add_parameter(Fingerprint *fingerprint, const char *name, const char *value) {
        for (gsize i = 0; i < G_N_ELEMENTS(dependents); i++)
                for (gsize j = 0; j < G_N_ELEMENTS(dependents[i].switches) && dependents[i].switches[j]; j++) {
                        g_autofree char *known = full_name(dependents[i].module, dependents[i].switches[j]);
                        if (g_str_equal(known, name)) {
                                g_hash_table_replace(fingerprint->parameters, g_strdup(name), g_strdup(value));
                                return;
                        }
                }
}

static void add_switches(Fingerprint *fingerprint, const Host *host) {
        const Module *module = host_vendor_module(host);

        for (gsize i = 0; module && i < G_N_ELEMENTS(dependents); i++)
                for (gsize j = 0; j < G_N_ELEMENTS(dependents[i].switches) && dependents[i].switches[j]; j++) {
                        const char *name = dependents[i].switches[j];
                        g_autofree char *value = NULL;
                        if (!g_str_equal(dependents[i].module, module->name))
                                continue;
                        value = host_vendor_switch(host, name);
                        if (value)
                                g_hash_table_replace(fingerprint->parameters, full_name(module->name, name),
                                                     g_steal_pointer(&value));
                }
}

Fingerprint *fingerprint_of_host(const Host *host, GError **error) {
        const Cpu *cpu = host->cpu;
        g_autoptr(Ability) ability = NULL;

        if (!host_is_read(host, error))
                return NULL;
        ability = ability_read(cpu->facts, cpu->architecture, cpu->vendor, error);
        if (!ability)
                return NULL;

        Fingerprint *fingerprint = fingerprint_new();
        ability_free(fingerprint->ability);
        fingerprint->ability = g_steal_pointer(&ability);
        g_free(fingerprint->release);
        fingerprint->release = g_strdup(host->release);
        g_free(fingerprint->model);
        fingerprint->model = g_strdup(cpu->model);
        add_switches(fingerprint, host);
        return fingerprint;
}

static bool is_off(const Fingerprint *fingerprint, const char *name) {
        return g_strcmp0(g_hash_table_lookup(fingerprint->parameters, name), "0") == 0;
}

/* All that the switch @name is for lacks as well, so that it is the one to be set. */
static bool lacks_all_of(const Fingerprint *from, const Fingerprint *to, const char *module, const char *name) {
        for (gsize i = 0; i < G_N_ELEMENTS(dependents); i++) {
                const AbilityKey key = dependents[i].key;
                if (g_str_equal(dependents[i].module, module) && !dependents[i].switches[1] &&
                    g_str_equal(dependents[i].switches[0], name))
                        return (from->ability->value[key] & ~to->ability->value[key] & dependents[i].mask) != 0;
        }
        return false;
}

char *fingerprint_remedy(const Fingerprint *from, const Fingerprint *to, const AbilityDifference *difference,
                         bool *ret_there) {
        const guint64 bit = difference->bit < 64 ? 1ULL << difference->bit : 0;

        for (gsize i = 0; g_str_equal(difference->kind, "missing") && i < G_N_ELEMENTS(dependents); i++) {
                const char *first = dependents[i].switches[0], *own = dependents[i].switches[1] ?: first;
                if (dependents[i].key != difference->key || (dependents[i].mask & bit) == 0)
                        continue;
                g_autofree char *wide = full_name(dependents[i].module, first),
                                *narrow = full_name(dependents[i].module, own);
                *ret_there = is_off(to, wide) || is_off(to, narrow);
                if (*ret_there)
                        return g_strdup_printf("%s=1", is_off(to, wide) ? wide : narrow);
                return g_strdup_printf("%s=0", lacks_all_of(from, to, dependents[i].module, first) ? wide : narrow);
        }
        return NULL;
}
