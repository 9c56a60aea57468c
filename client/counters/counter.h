/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of KVM's counters by their names, those of older kernels included
 * (arch/x86/kvm/x86.c, virt/kvm/kvm_main.c of Linux 5.10 to 7.3). A counter that is not known
 * counts up. */

#include <stdbool.h>

/* The place of a counter that is shown before the others, from 0 on; COUNTER_LATER for those. */
#define COUNTER_LATER 100U
unsigned counter_place(const char *name);
/* It tells how it is or was at most, and not how often something happened. */
bool counter_is_level(const char *name);
