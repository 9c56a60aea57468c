/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a guest's definition says of its CPU. It must not change anything, nor judge. */

#include "cpu-xml.h"
#include "cpu-beside.h"
#include "domain-xml.h"
#include "os-xml.h"

const char *cpu_xml_feature(const char *vendor) {
        return g_strcmp0(vendor, "intel") == 0 ? "vmx" : g_strcmp0(vendor, "amd") == 0 ? "svm" : NULL;
}

static GHashTable *read_features(const xmlNode *node) {
        GHashTable *features = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

        for (xmlNode *feature = domain_xml_child(node, "feature"); feature; feature = domain_xml_next(feature)) {
                g_autofree char *name = domain_xml_attribute(feature, "name");
                char *policy = domain_xml_attribute(feature, "policy");

                if (!*policy) {
                        g_free(policy);
                        policy = g_strdup("require");
                }
                if (g_hash_table_contains(features, name))
                        g_free(policy);
                else
                        g_hash_table_insert(features, g_steal_pointer(&name), policy);
        }
        return features;
}

CpuXml *cpu_xml_of(const DomainXml *domain, const char *vendor) {
        const char *feature = cpu_xml_feature(vendor);
        const xmlNode *type = domain_xml_grandchild(domain->root, "os", "type");
        const xmlNode *node = domain_xml_child(domain->root, "cpu");
        CpuXml *cpu = g_new(CpuXml, 1);

        *cpu = (CpuXml) {
                        .name = domain_xml_content(domain_xml_child(domain->root, "name")),
                        .uuid = domain_xml_content(domain_xml_child(domain->root, "uuid")),
                        .type = domain_xml_attribute(domain->root, "type"),
                        .arch = domain_xml_attribute(type, "arch"),
                        .machine = domain_xml_attribute(type, "machine"),
                        .emulator = domain_xml_content(domain_xml_grandchild(domain->root, "devices", "emulator")),
                        .mode = domain_xml_attribute(node, "mode"),
                        .model = domain_xml_content(domain_xml_child(node, "model")),
                        .match = domain_xml_attribute(node, "match"),
                        .vendor = domain_xml_content(domain_xml_child(node, "vendor")),
                        .check = domain_xml_attribute(node, "check"),
                        .argument = cpu_beside_argument(domain),
                        .launch = cpu_beside_launch(domain),
                        .hyperv = cpu_beside_hyperv(domain),
                        .features = read_features(node),
                        .has_cpu = node,
                        .windows = os_xml_is_windows(domain),
        };
        cpu->policy = g_strdup(feature ? g_hash_table_lookup(cpu->features, feature) : NULL) ?: g_strdup("");
        return cpu;
}

CpuXml *cpu_xml_read(const char *xml, const char *vendor, GError **error) {
        g_autoptr(DomainXml) domain = domain_xml_parse(xml, error);

        return domain ? cpu_xml_of(domain, vendor) : NULL;
}

void cpu_xml_free(CpuXml *cpu) {
        if (!cpu)
                return;
        g_free(cpu->type);
        g_free(cpu->arch);
        g_free(cpu->machine);
        g_free(cpu->name);
        g_free(cpu->uuid);
        g_free(cpu->emulator);
        g_free(cpu->mode);
        g_free(cpu->model);
        g_free(cpu->match);
        g_free(cpu->check);
        g_free(cpu->vendor);
        g_free(cpu->argument);
        g_free(cpu->launch);
        g_free(cpu->hyperv);
        g_free(cpu->policy);
        g_clear_pointer(&cpu->features, g_hash_table_unref);
        g_free(cpu);
}
