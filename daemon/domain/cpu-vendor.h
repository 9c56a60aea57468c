/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose CPU a guest is made for: it decides between vmx and svm. */

#include "cpu-xml.h"
#include "domain-xml.h"

/* "intel" or "amd", of a guest that is to have @mode (NULL: QEMU's default) and what @edit asks for
 * besides; static. What the definition says comes first: <vendor>, a model that is not to be had
 * elsewhere, vmx or svm that is required. Then @edit's vendor, which must not contradict that; then
 * other models; then @edit's otherwise. Unsupported: a contradiction. InvalidArgs: nobody knows. */
const char *cpu_vendor_choose(const DomainXml *domain, const char *mode, const CpuEdit *edit, GError **error);
