/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Puts what cpu-xml.c reads into a guest's facts. It must not know where a text was kept. */

#include <string.h>

#include "cpu-question.h"
#include "guest-edit.h"
#include "guest-xml.h"

GuestCpu guest_xml_cpu(const char *text, const char *vendor, GuestFacts *facts) {
        g_autoptr(CpuXml) xml = text ? cpu_xml_read(text, vendor, NULL) : NULL;

        return xml ? guest_cpu_from_xml(xml, vendor, guest_facts_words(facts)) : (GuestCpu) {};
}

char *guest_xml_inner(const char *text) {
        const char *begin = text ? strstr(text, "<domain ") : NULL, *end = begin ? strstr(begin, "</domain>") : NULL;

        return end ? g_strndup(begin, (gsize) (end - begin) + strlen("</domain>")) : NULL;
}

GuestCpu guest_xml_inner_cpu(const char *text, const char *vendor, GuestFacts *facts) {
        g_autofree char *domain = guest_xml_inner(text);

        return guest_xml_cpu(domain, vendor, facts);
}

bool guest_xml_define(const CpuXml *xml, const char *vendor, GuestFacts *facts) {
        facts->defined = xml ? guest_cpu_from_xml(xml, vendor, guest_facts_words(facts)) : (GuestCpu) {};
        if (!xml)
                return false;
        facts->type = guest_facts_keep(facts, xml->type);
        facts->arch = guest_facts_keep(facts, xml->arch);
        facts->machine = guest_facts_keep(facts, xml->machine);
        facts->emulator = guest_facts_keep(facts, xml->emulator);
        facts->windows = xml->windows;
        facts->question = facts->persistent ? cpu_question_from_xml(xml) : NULL;
        return true;
}

void guest_xml_add_snapshot(const char *name, const char *text, const char *vendor, GuestFacts *facts) {
        const GuestCpu cpu = guest_xml_inner_cpu(text, vendor, facts);

        if (!name || !cpu.mode)
                return;
        GuestSnapshot *one = g_new(GuestSnapshot, 1);
        *one = (GuestSnapshot) {.name = g_strdup(name), .cpu = cpu};
        if (!facts->snapshots)
                facts->snapshots = g_ptr_array_new_with_free_func((GDestroyNotify) guest_snapshot_free);
        g_ptr_array_add(facts->snapshots, one);
}
