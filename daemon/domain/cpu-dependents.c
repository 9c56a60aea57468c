/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names, and what becomes of them. Whether svm or vmx is given or taken is cpu-edit.c's. */

#include "cpu-dependents.h"
#include "cpu-feature.h"

bool cpu_dependents_has(const char *feature, const char *name) {
        /* CPUID 0x8000000a, EDX: QEMU 11.1, of which libvirt 9.0 has all but vnmi (src/cpu_map,
         * x86_features.xml). */
        static const char *const svm[] = {"npt",          "lbrv",        "svm-lock",      "nrip-save",
                                          "tsc-scale",    "vmcb-clean",  "flushbyasid",   "decodeassists",
                                          "pause-filter", "pfthreshold", "avic",          "v-vmsave-vmload",
                                          "vgif",         "vnmi",        "svme-addr-chk", NULL};

        if (g_str_equal(feature, "vmx"))
                return g_str_has_prefix(name, "vmx-");
        return g_strv_contains(svm, name);
}

static void add_name(GString *names, const char *name) {
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
}

static bool is_wanted(const xmlNode *node) {
        g_autofree char *policy = cpu_feature_policy(node);

        return g_str_equal(policy, "require") || g_str_equal(policy, "force");
}

void cpu_dependents_disable(DomainXml *domain, xmlNode *cpu, const char *feature, const char *const *listed,
                            GString *names) {
        for (xmlNode *node = domain_xml_child(cpu, "feature"); node; node = domain_xml_next(node)) {
                g_autofree char *name = cpu_feature_name(node);
                if (!cpu_dependents_has(feature, name) || !is_wanted(node))
                        continue;
                domain_xml_set_attribute(domain, node, "policy", "disable");
                add_name(names, name);
        }
        for (; cpu && listed && *listed; listed++) {
                if (!cpu_dependents_has(feature, *listed) || cpu_feature_find(cpu, *listed))
                        continue;
                cpu_feature_add(domain, cpu, *listed, "disable");
                add_name(names, *listed);
        }
}

/* QEMU's models have had these from the beginning (target/i386/cpu.c, builtin_x86_defs, FEAT_SVM),
 * libvirt's of these names have not (src/cpu_map, 9.0 to 12.8; those that were added since, such as
 * EPYC-v3, have). Compared for QEMU 7.2 and libvirt 9.0. */
static bool is_extra(const char *model, const char *name) {
        static const char *const models[] = {"EPYC",          "EPYC-v1",    "EPYC-IBPB",     "EPYC-IBRS",
                                             "EPYC-v2",       "Dhyana",     "Dhyana-v1",     "Opteron_G4",
                                             "Opteron_G4-v1", "Opteron_G5", "Opteron_G5-v1", NULL};

        if (g_str_equal(name, "npt"))
                return g_strv_contains(models, model) || g_str_has_prefix(model, "phenom");
        return g_str_equal(name, "nrip-save") && g_strv_contains(models, model);
}

void cpu_dependents_release(DomainXml *domain, xmlNode *cpu, const char *feature, GString *gone, GString *required) {
        g_autofree char *check = domain_xml_attribute(cpu, "check");
        g_autofree char *model = domain_xml_content(domain_xml_child(cpu, "model"));
        const bool full = g_str_equal(check, "full");

        for (xmlNode *node = domain_xml_child(cpu, "feature"), *next; node; node = next) {
                g_autofree char *name = cpu_feature_name(node), *policy = cpu_feature_policy(node);
                next = domain_xml_next(node);
                if (!cpu_dependents_has(feature, name) || !g_str_equal(policy, "disable"))
                        continue;
                if (full && is_extra(model, name)) {
                        domain_xml_set_attribute(domain, node, "policy", "require");
                        add_name(required, name);
                } else {
                        domain_xml_remove(domain, node);
                        add_name(gone, name);
                }
        }
}
