/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* In what the processors of a host are not like the first one, and which of them. Whoever reads
 * several processors adds to it; it knows nothing of flags or registers. Bounded: what is more is
 * only said to be more. */

#include <glib.h>
#include <stdbool.h>

typedef struct CpuOdd {
        char *what;     /* the name of a flag, or "MSR 0x48b" */
        bool first_has; /* the first processor has the flag, the others here do not; false: the other way round */
        GArray *ranges; /* of processor numbers, in the order in which they were added */
        bool more;      /* than are kept */
} CpuOdd;

/* CpuOdd*, none to begin with. */
GPtrArray *cpu_spread_new(void);
/* @processor is to be added in ascending order for ranges to be short. */
void cpu_spread_add(GPtrArray *spread, const char *what, bool first_has, unsigned processor);
/* "4-7, 12". */
char *cpu_odd_processors(const CpuOdd *odd);
