/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How L1 gives up. */

#include <stdint.h>

#include "order.h"

/* Does not return. @code and the three words are those of order.h, for each kind of failure. */
_Noreturn void fail(Failure failure, uint64_t code, uint64_t info0, uint64_t info1, uint64_t info2);
