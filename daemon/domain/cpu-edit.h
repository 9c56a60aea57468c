/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The edit of cpu-xml.h on a tree, for those who change more of it. */

#include "cpu-xml.h"
#include "domain-xml.h"

/* False, with the tree unchanged, when the guest can't have it. @ret_vendor: whose CPU it is made
 * for, as cpu_vendor_choose() has it; NULL when @edit says nothing of nesting; may be NULL. */
bool cpu_edit_apply(DomainXml *domain, const CpuEdit *edit, const char **ret_vendor, GPtrArray *steps, GError **error);
/* "host-model", "custom" …; NULL when the definition leaves it to QEMU: no <cpu>, or one with
 * neither mode nor model. */
char *cpu_edit_mode(const DomainXml *domain);

void cpu_edit_step(GPtrArray *steps, const char *format, ...) G_GNUC_PRINTF(2, 3);
