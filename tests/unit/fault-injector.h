/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system calls that read files, of this program and of the libraries that it is linked with:
 * one of them fails, by its number. */

#include <stdbool.h>

/* The call with number @n from now (1 is the next) fails with @errnum; with @lasting those after
 * it, too. 0: none does. */
void fault_inject(unsigned n, int errnum, bool lasting);
/* No more; how many calls there were. */
unsigned fault_injected(void);
