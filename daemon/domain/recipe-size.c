/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many vCPUs and how much memory a guest has, and more of them. Where something else in the
 * definition counts on the numbers, nothing is guessed. It must never lower a number. */

#include <string.h>

#include "cpu-edit.h"
#include "error.h"
#include "recipe-parts.h"

#define MIB ((uint64_t) 1024 * 1024)

static bool by_hand(GError **error, const char *what, const char *why) {
        g_set_error(error, CONDITION, CONDITION_UNSUPPORTED,
                    "The guest needs %s, but %s: change both by hand first (virsh edit)", what, why);
        return false;
}

static bool invalid(GError **error, const char *element) {
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "What the XML has in <%s> is no number, or no unit",
                    element);
        return false;
}

/* A number alone, in decimal. */
static bool parse_number(const char *text, uint64_t *ret) {
        return *text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, ret, NULL);
}

bool recipe_parse_size(const char *number, const char *unit, uint64_t *ret) {
        static const char letters[] = "kmgtpe";
        uint64_t base = 1024, value;
        const char *letter;
        char first;

        if (!parse_number(number, &value))
                return false;
        if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "byte") == 0 ||
            g_ascii_strcasecmp(unit, "bytes") == 0) {
                *ret = value;
                return true;
        }
        first = *unit ? g_ascii_tolower(*unit) : 'k';
        letter = first ? strchr(letters, first) : NULL;
        if (*unit && g_ascii_strcasecmp(unit + 1, "b") == 0)
                base = 1000;
        else if (!letter || (*unit && unit[1] && g_ascii_strcasecmp(unit + 1, "ib") != 0))
                return false;
        for (const char *step = letters; letter && step <= letter; step++)
                if (!g_uint64_checked_mul(&value, value, base))
                        return false;
        *ret = value;
        return letter;
}

static bool has_numa_cpus(const DomainXml *domain) {
        const xmlNode *cell = domain_xml_child(domain_xml_grandchild(domain->root, "cpu", "numa"), "cell");

        return cell && domain_xml_has_attribute(cell, "cpus");
}

/* What else counts the vCPUs: NULL when nothing does. @most: that there can be more of them at all
 * is to be changed. */
static const char *counts_cpus(const DomainXml *domain, bool most) {
        if (domain_xml_child(domain->root, "vcpus"))
                return "<vcpus> lists each vCPU";
        if (most && domain_xml_grandchild(domain->root, "cpu", "topology"))
                return "<topology> says how many vCPUs there are";
        if (most && has_numa_cpus(domain))
                return "<numa> says which vCPU belongs to which cell";
        return NULL;
}

bool recipe_raise_cpus(DomainXml *domain, unsigned cpus, GPtrArray *steps, GError **error) {
        xmlNode *vcpu = domain_xml_child(domain->root, "vcpu");
        g_autofree char *text = domain_xml_content(vcpu), *current = domain_xml_attribute(vcpu, "current");
        g_autofree char *what = g_strdup_printf("%u vCPUs", cpus), *number = g_strdup_printf("%u", cpus);
        uint64_t most = 1, now;
        const char *why;

        if (vcpu && !parse_number(text, &most))
                return invalid(error, "vcpu");
        now = most;
        if (*current && !parse_number(current, &now))
                return invalid(error, "vcpu");
        if (MIN(now, most) >= cpus)
                return true;
        why = counts_cpus(domain, most < cpus);
        if (why)
                return by_hand(error, what, why);
        if (!vcpu)
                vcpu = domain_xml_add(domain, domain->root,
                                      domain_xml_child(domain->root, "currentMemory")
                                                      ?: xmlFirstElementChild(domain->root),
                                      "vcpu");
        if (most < cpus)
                domain_xml_set_content(domain, vcpu, number);
        if (*current)
                domain_xml_set_attribute(domain, vcpu, "current", number);
        cpu_edit_step(steps, "raise the number of vCPUs to %u (was %" PRIu64 ")", cpus, MIN(now, most));
        return true;
}

static const char *counts_memory(const DomainXml *domain) {
        const xmlNode *cell = domain_xml_child(domain_xml_grandchild(domain->root, "cpu", "numa"), "cell");

        if (cell)
                return "<numa> says how much of it each cell has";
        if (domain_xml_child(domain->root, "maxMemory"))
                return "<maxMemory> makes room for memory that is plugged in";
        if (domain_xml_grandchild(domain->root, "devices", "memory"))
                return "there are memory devices, which count as part of it";
        if (domain_xml_grandchild(domain->root, "memtune", "hard_limit"))
                return "<hard_limit> says how much of it QEMU may take";
        return NULL;
}

/* In the unit that is there, when that comes out even. */
static bool set_size(DomainXml *domain, xmlNode *node, uint64_t bytes) {
        g_autofree char *unit = domain_xml_attribute(node, "unit"), *text = NULL;
        uint64_t one;
        const bool even = recipe_parse_size("1", unit, &one) && bytes % one == 0;

        text = g_strdup_printf("%" PRIu64, bytes / (even ? one : 1024));
        domain_xml_set_content(domain, node, text);
        if (!even)
                domain_xml_set_attribute(domain, node, "unit", "KiB");
        return true;
}

/* -1 when there is none of it, 0 when it can't be read, else 1. */
static int read_size(const xmlNode *node, uint64_t *ret) {
        g_autofree char *text = domain_xml_content(node), *unit = domain_xml_attribute(node, "unit");

        return !node ? -1 : recipe_parse_size(text, unit, ret);
}

static uint64_t numa_memory(const DomainXml *domain) {
        uint64_t sum = 0, bytes;

        for (xmlNode *cell = domain_xml_child(domain_xml_grandchild(domain->root, "cpu", "numa"), "cell"); cell;
             cell = domain_xml_next(cell)) {
                g_autofree char *text = domain_xml_attribute(cell, "memory"),
                                *unit = domain_xml_attribute(cell, "unit");
                if (!recipe_parse_size(text, unit, &bytes) || !g_uint64_checked_add(&sum, sum, bytes))
                        return 0;
        }
        return sum;
}

bool recipe_raise_memory(DomainXml *domain, uint64_t mib, GPtrArray *steps, GError **error) {
        xmlNode *memory = domain_xml_child(domain->root, "memory"),
                *current = domain_xml_child(domain->root, "currentMemory");
        g_autofree char *what = g_strdup_printf("%" PRIu64 " MiB of memory", mib);
        uint64_t bytes = 0, now;
        const char *why;

        if (read_size(memory, &bytes) == 0)
                return invalid(error, "memory");
        if (!memory)
                bytes = numa_memory(domain);
        now = bytes;
        if (read_size(current, &now) == 0)
                return invalid(error, "currentMemory");
        if (MIN(bytes, now) >= mib * MIB)
                return true;
        why = counts_memory(domain);
        if (bytes < mib * MIB && why)
                return by_hand(error, what, why);
        if (!memory)
                return by_hand(error, what, "its XML does not say how much it has");
        if (bytes < mib * MIB)
                (void) set_size(domain, memory, mib * MIB);
        if (current && now < mib * MIB)
                (void) set_size(domain, current, mib * MIB);
        cpu_edit_step(steps, "raise the memory to %" PRIu64 " MiB (was %" PRIu64 " MiB)", mib, MIN(bytes, now) / MIB);
        return true;
}
