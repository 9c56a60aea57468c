/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose CPU a guest is made for: it decides between vmx and svm. */

#include "cpu-xml.h"
#include "domain-xml.h"

/* "intel" or "amd", of a guest that is to have @mode (NULL: QEMU's default) and what @edit asks for
 * besides; static. What the definition says comes first: <vendor>, or a model that is not to be had
 * elsewhere. Then @edit's vendor, which must not contradict that. Then, and this is not @sure, vmx
 * or svm that is required and shall be; other models; @edit's otherwise; what is named at all.
 * Unsupported: a contradiction, also by what is required, of a guest that is to nest. InvalidArgs:
 * nobody knows. */
const char *cpu_vendor_choose(const DomainXml *domain, const char *mode, const CpuEdit *edit, bool *sure,
                              GError **error);
