/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whoever else in a definition has a say in what the CPU is. It must not change anything. */

#include <string.h>

#include "cpu-beside.h"

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"

/* QEMU takes an option with one dash or two (system/vl.c, lookup_opt()). */
static bool is_option(const char *argument, const char *name) {
        return g_str_equal(argument, name) || (*argument == '-' && g_str_equal(argument + 1, name));
}

/* "host-x86_64-cpu.vmx=on", "driver=qemu64-x86_64-cpu,property=svm,value=on"; also the types that
 * all of them are: "x86_64-cpu", "i386-cpu", "cpu". */
static bool is_property_of_cpu(const char *value) {
        const char *named = strstr(value, "driver="), *driver = named ? named + strlen("driver=") : value;
        const size_t n = strcspn(driver, ".,");

        return (n == strlen("cpu") || (n > strlen("cpu") && driver[n - strlen("-cpu")] == '-')) &&
               strncmp(driver + n - strlen("cpu"), "cpu", strlen("cpu")) == 0;
}

/* The one that counts for more of the two, so far. */
static void look_at(const xmlNode *node, char **found) {
        g_autofree char *argument = domain_xml_attribute(node, "value"), *value = NULL;

        if (is_option(argument, "-cpu")) {
                g_free(*found);
                *found = g_strdup("-cpu");
        } else if (is_option(argument, "-global") && !**found) {
                value = domain_xml_attribute(domain_xml_next(node), "value");
                if (!is_property_of_cpu(value))
                        return;
                g_free(*found);
                *found = g_strdup("-global");
        }
}

char *cpu_beside_argument(const DomainXml *domain) {
        const xmlNode *list = domain_xml_foreign_child(domain->root, QEMU_URI, "commandline");
        char *found = g_strdup("");

        for (; list; list = domain_xml_next(list))
                for (const xmlNode *node = domain_xml_foreign_child(list, QEMU_URI, "arg"); node;
                     node = domain_xml_next(node))
                        look_at(node, &found);
        return found;
}
