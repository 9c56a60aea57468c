/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether the sources about the CPU say the same: what the kernel prints, CPUID, the registers, and
 * what KVM would give to a guest. A source that is unknown contradicts nothing. Pure. */

#include "host.h"

typedef struct Contradiction {
        /* kernels are known to do so: they hide a flag of which they know an erratum, or none of
         * a newer CPU's */
        bool expected;
        char *message; /* both sources, their values, and what it may mean */
} Contradiction;

GPtrArray *cpu_compare(const Host *host); /* Contradiction* */
/* Which were compared, "/proc/cpuinfo, CPUID, the CPU's registers (MSR)": NULL when there is but
 * one. */
char *cpu_compare_sources(const Host *host);
