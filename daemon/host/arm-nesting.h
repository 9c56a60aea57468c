/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Nesting on Arm, which no module's parameter decides: the kernel command line asks for it
 * (kvm-arm.mode=nested, arch/arm64/kvm/arm.c), and KVM, which is part of the kernel there, offers
 * EL2 to guests (KVM_CAP_ARM_EL2) when its CPU has FEAT_NV2 and it is of Linux 6.16 or later. */

#include "cpu-facts.h"
#include "root.h"

bool arm_nesting_is_asked(const Root *root);
/* "on", "off" (it is not asked for), "unavailable" (it is, and KVM offers nothing), "unknown" (it
 * is, and the device has not told yet). */
const char *arm_nesting_judge(bool asked, const CpuFacts *facts);
