/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What only somebody with rights can ask the CPU and KVM: the registers of virtualization of all
 * processors, and what KVM would offer to a guest. Plain C, as the helper is. It prints lines
 * (cpu-facts.h reads them) and judges nothing. */

#include <stdbool.h>

/* @node is the device node of KVM; the registers are beside it, in cpu/N/msr. What can't be read is
 * left out. False when it can't be printed. */
bool facts_print(const char *node);
