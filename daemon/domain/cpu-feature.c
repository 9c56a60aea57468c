/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a feature is named in <cpu>. Which one, and why, is for others. */

#include "cpu-feature.h"

static xmlNode *find(xmlNode *node, const char *name) {
        for (; node; node = domain_xml_next(node)) {
                g_autofree char *is = cpu_feature_name(node);
                if (g_str_equal(is, name))
                        return node;
        }
        return NULL;
}

xmlNode *cpu_feature_find(const xmlNode *cpu, const char *name) {
        return find(domain_xml_child(cpu, "feature"), name);
}

xmlNode *cpu_feature_next(const xmlNode *feature) {
        g_autofree char *name = cpu_feature_name(feature);

        return find(domain_xml_next(feature), name);
}

char *cpu_feature_name(const xmlNode *feature) {
        return domain_xml_attribute(feature, "name");
}

char *cpu_feature_policy(const xmlNode *feature) {
        g_autofree char *policy = domain_xml_attribute(feature, "policy");

        return *policy ? g_steal_pointer(&policy) : g_strdup("require");
}

bool cpu_feature_is_off(const xmlNode *feature) {
        g_autofree char *policy = cpu_feature_policy(feature);

        return g_str_equal(policy, "disable") || g_str_equal(policy, "forbid");
}

void cpu_feature_add(DomainXml *domain, xmlNode *cpu, const char *name, const char *policy) {
        xmlNode *last = xmlLastElementChild(cpu), *feature;

        for (xmlNode *node = domain_xml_child(cpu, "feature"); node; node = domain_xml_next(node))
                last = node;
        feature = domain_xml_add(domain, cpu, last, "feature");
        domain_xml_set_attribute(domain, feature, "policy", policy);
        domain_xml_set_attribute(domain, feature, "name", name);
}
