/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What Windows needs to be a host of Hyper-V, with which also WSL 2, virtualization-based security
 * and isolated containers run. Which enlightenments there are, and which need which, says QEMU's
 * docs/system/i386/hyperv.rst (10.1); how libvirt calls them, and that it refuses to start a guest
 * with one that KVM lacks, its qemu_process.c (9.0, qemuProcessVerifyHypervFeatures). KVM of
 * Linux 6.1 has all that are named here. It must not touch what they leave to people: evmcs on
 * Intel, which takes posted interrupts away and is to be measured; reenlightenment, which needs TSC
 * scaling or a guest that is not migrated; avic, which needs such hardware; spinlocks and
 * vendor_id, which change nothing here. */

#include "cpu-edit.h"
#include "cpu-feature.h"
#include "recipe-parts.h"

/* Hyper-V in a guest can use synthetic timers in direct mode only: stimer, which needs synic,
 * vpindex and the clock. */
static const char *const enlightenments[] = {"relaxed", "vapic",       "vpindex",  "runtime", "synic",
                                             "stimer",  "frequencies", "tlbflush", "ipi"};

/* TRUE: it was not so. */
static bool set_state(DomainXml *domain, xmlNode *parent, const char *name, const char *attribute, const char *state) {
        xmlNode *node = domain_xml_child(parent, name);
        g_autofree char *was = domain_xml_attribute(node, attribute);

        if (g_str_equal(was, state))
                return false;
        if (!node)
                node = domain_xml_add(domain, parent, xmlLastElementChild(parent), name);
        domain_xml_set_attribute(domain, node, attribute, state);
        return true;
}

/* The first of @before that there is decides where it goes. */
static xmlNode *need_child(DomainXml *domain, const char *name, const char *const *before) {
        xmlNode *root = domain->root, *node = domain_xml_child(root, name), *after = NULL;

        for (; !node && *before && !after; before++)
                after = domain_xml_child(root, *before);
        return node ?: domain_xml_add(domain, root, after ?: xmlLastElementChild(root), name);
}

static void name_step(GString *names, const char *name) {
        g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
}

/* With another mode than custom, all that KVM has are on already. */
static void set_enlightenments(DomainXml *domain, const char *vendor, GPtrArray *steps) {
        static const char *const before[] = {"os", "resource", "vcpu", NULL};
        xmlNode *features = need_child(domain, "features", before),
                *hyperv = domain_xml_child(features, "hyperv")
                                          ?: domain_xml_add(domain, features, xmlLastElementChild(features), "hyperv");
        g_autofree char *mode = domain_xml_attribute(hyperv, "mode");
        g_autoptr(GString) names = g_string_new(NULL);

        if (*mode && !g_str_equal(mode, "custom"))
                return;
        for (gsize i = 0; i < G_N_ELEMENTS(enlightenments); i++)
                if (set_state(domain, hyperv, enlightenments[i], "state", "on"))
                        name_step(names, enlightenments[i]);
        if (set_state(domain, domain_xml_child(hyperv, "stimer"), "direct", "state", "on"))
                name_step(names, "direct timers");
        if (names->len > 0)
                cpu_edit_step(steps, "switch on the Hyper-V enlightenments %s", names->str);
        /* It is Intel's, and keeps a guest on AMD from starting. */
        if (g_str_equal(vendor, "amd") && domain_xml_child(hyperv, "evmcs") &&
            set_state(domain, hyperv, "evmcs", "state", "off"))
                cpu_edit_step(steps, "switch off the Hyper-V enlightenment evmcs, which is for Intel only");
}

static xmlNode *find_timer(const xmlNode *clock, const char *name) {
        xmlNode *timer = domain_xml_child(clock, "timer");

        for (; timer; timer = domain_xml_next(timer)) {
                g_autofree char *is = domain_xml_attribute(timer, "name");
                if (g_str_equal(is, name))
                        break;
        }
        return timer;
}

/* libvirt calls QEMU's hv-time so. Without a <clock>, that is in UTC, and stays so. */
static void set_clock(DomainXml *domain, GPtrArray *steps) {
        static const char *const before[] = {"cpu", "features", "os", NULL};
        xmlNode *clock = need_child(domain, "clock", before), *timer = find_timer(clock, "hypervclock");
        g_autofree char *present = domain_xml_attribute(timer, "present");

        if (g_str_equal(present, "yes"))
                return;
        if (!domain_xml_has_attribute(clock, "offset"))
                domain_xml_set_attribute(domain, clock, "offset", "utc");
        if (!timer) {
                timer = domain_xml_add(domain, clock, xmlLastElementChild(clock), "timer");
                domain_xml_set_attribute(domain, timer, "name", "hypervclock");
        }
        domain_xml_set_attribute(domain, timer, "present", "yes");
        cpu_edit_step(steps, "switch on the clock hypervclock");
}

/* Windows asks for enlightenments where CPUID says that there is a hypervisor, and nowhere else
 * (Microsoft's TLFS, "Hypervisor Discovery"). */
static void show_hypervisor(DomainXml *domain, xmlNode *cpu, GPtrArray *steps) {
        xmlNode *feature = cpu_feature_find(cpu, "hypervisor");

        if (!cpu_feature_is_off(feature))
                return;
        domain_xml_remove(domain, feature);
        cpu_edit_step(steps, "stop hiding the hypervisor bit, without which Windows looks for no enlightenments");
}

/* A mode may bring it; but Windows that has it without anybody's wish is another thing. */
static void name_feature(DomainXml *domain, xmlNode *cpu, const char *vendor, GPtrArray *steps) {
        const char *name = cpu_xml_feature(vendor);

        if (cpu_feature_find(cpu, name))
                return;
        cpu_feature_add(domain, cpu, name, "require");
        cpu_edit_step(steps, "require %s by name, so that it is seen to be meant", name);
}

/* TSX, which few CPUs have any more: with it, Hyper-V does not start in a guest
 * (github.com/cilium/ebpf/pull/1816). */
static void disable_tsx(DomainXml *domain, xmlNode *cpu, GPtrArray *steps) {
        static const char *const names[] = {"hle", "rtm"};

        for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
                xmlNode *feature = cpu_feature_find(cpu, names[i]);
                if (cpu_feature_is_off(feature))
                        continue;
                if (feature)
                        domain_xml_set_attribute(domain, feature, "policy", "disable");
                else
                        cpu_feature_add(domain, cpu, names[i], "disable");
                cpu_edit_step(steps, "disable %s", names[i]);
        }
}

void recipe_set_hyperv(DomainXml *domain, const char *vendor, GPtrArray *steps) {
        xmlNode *cpu = domain_xml_child(domain->root, "cpu");
        g_autofree char *type = domain_xml_attribute(domain->root, "type");

        name_feature(domain, cpu, vendor, steps);
        show_hypervisor(domain, cpu, steps);
        if (g_str_equal(vendor, "intel"))
                disable_tsx(domain, cpu, steps);
        /* Enlightenments are KVM's: QEMU emulates none. */
        if (g_str_equal(type, "qemu"))
                return;
        set_enlightenments(domain, vendor, steps);
        set_clock(domain, steps);
}
