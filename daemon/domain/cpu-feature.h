/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The <feature>s of a <cpu>. */

#include <stdbool.h>

#include "domain-xml.h"

/* The first of that name; NULL also when @cpu is. */
xmlNode *cpu_feature_find(const xmlNode *cpu, const char *name);
/* The next one of the same name. */
xmlNode *cpu_feature_next(const xmlNode *feature);
char *cpu_feature_name(const xmlNode *feature);
/* "require" where none is given, as libvirt reads it; so of NULL. */
char *cpu_feature_policy(const xmlNode *feature);
/* The guest is not to have it: "disable" or "forbid". False of NULL. */
bool cpu_feature_is_off(const xmlNode *feature);
/* Behind the other features, or else behind all that is in <cpu>. */
void cpu_feature_add(DomainXml *domain, xmlNode *cpu, const char *name, const char *policy);
