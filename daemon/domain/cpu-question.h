/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt would compare of a guest's <cpu> before it starts QEMU, as a question of its own. */

#include "comparison.h"
#include "cpu-xml.h"

/* NULL: it would compare nothing, as nothing is asked for, check is 'none', or the guest is not one
 * of KVM's on x86. */
CpuQuestion *cpu_question_from_xml(const CpuXml *cpu);
