/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whoever else in a definition has a say in what the CPU is. It must not change anything. */

#include <string.h>

#include "cpu-beside.h"
#include "error.h"
#include "guest-model.h"

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

char *cpu_beside_launch(const DomainXml *domain) {
        return domain_xml_attribute(domain_xml_child(domain->root, "launchSecurity"), "type");
}

char *cpu_beside_hyperv(const DomainXml *domain) {
        const xmlNode *hyperv = domain_xml_grandchild(domain->root, "features", "hyperv");
        g_autofree char *mode = domain_xml_attribute(hyperv, "mode");
        g_autofree char *state = domain_xml_attribute(domain_xml_child(hyperv, "evmcs"), "state");

        return g_strdup(g_str_equal(state, "on") && !g_str_equal(mode, "passthrough") ? "evmcs" : "");
}

bool cpu_beside_allows_nested(const DomainXml *domain, GError **error) {
        g_autofree char *launch = cpu_beside_launch(domain), *why = guest_launch_forbids(launch);
        g_autofree char *arch = domain_xml_attribute(domain_xml_grandchild(domain->root, "os", "type"), "arch");
        g_autofree char *emulator = domain_xml_content(domain_xml_grandchild(domain->root, "devices", "emulator"));

        if (why) {
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "The guest can't nest. %s", why);
                return false;
        }
        if (!guest_is_32_bit(arch, emulator))
                return true;
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest is a 32-bit one (arch='i686'%s%s), and a hypervisor in a guest must be 64-bit: make it "
                    "arch='x86_64', with the QEMU for that as its <emulator>",
                    *emulator ? ", run by " : "", emulator);
        return false;
}
