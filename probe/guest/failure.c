/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Owns the last words of L1, the guest's part of the order. It must not ask the hardware: who fails
 * says all that there is. */

#include "failure.h"
#include "guest.h"

void fail(Failure failure, uint64_t code, uint64_t info0, uint64_t info1, uint64_t info2) {
        order->failure = failure;
        order->code = code;
        order->info[0] = info0;
        order->info[1] = info1;
        order->info[2] = info2;
        for (;;)
                out(PORT_FAIL);
}
