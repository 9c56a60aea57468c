/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A VM with the guest of the table, which carries out one order after the other. */

#include <stdbool.h>
#include <stdint.h>

#include "order.h"
#include "proof.h"
#include "report.h"
#include "vm.h"

typedef struct Session {
        Vm vm;
        Way way;
        uint64_t elapsed; /* nanoseconds in the guest since an order began */
} Session;

/* What one order cost. */
typedef struct Cost {
        uint64_t exits;
        uint64_t emulated; /* instructions */
        uint64_t elapsed;  /* nanoseconds */
} Cost;

bool session_open(Session *session, const Kvm *kvm, Way way, Tamper tamper, Report *report);
void session_close(Session *session);

/* "one-level", "shadow-on-npt", "npt-on-npt": which tables L1 has for L2, on which L0 has for
 * L1. */
const char *session_way_name(const Session *session);

bool session_order(Session *session, Operation operation, uint32_t count, Cost *ret, Report *report);
