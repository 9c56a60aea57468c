/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Definitions of a guest as facts, wherever they come from. It reads, and judges nothing. */

#include "cpu-xml.h"
#include "guest-facts.h"

/* What a definition says of the CPU, its words in @facts. Nothing of it is known when @text is NULL
 * or can't be read. */
GuestCpu guest_xml_cpu(const char *text, const char *vendor, GuestFacts *facts);
/* The same of the first <domain> within another element: of a snapshot, which may have an
 * <inactiveDomain> behind it, or of the state of a guest that runs. */
GuestCpu guest_xml_inner_cpu(const char *text, const char *vendor, GuestFacts *facts);
/* That text alone, newly allocated; NULL: there is none. */
char *guest_xml_inner(const char *text);
/* What else the definition tells as well; facts->persistent is to be there already. False when it
 * can't be read: nothing is known then. */
bool guest_xml_define(const CpuXml *xml, const char *vendor, GuestFacts *facts);
/* A snapshot more; one whose CPU can't be read is left out. */
void guest_xml_add_snapshot(const char *name, const char *text, const char *vendor, GuestFacts *facts);
