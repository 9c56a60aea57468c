/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The proof that a guest of a guest runs here, and what a round trip between L2 and L1 costs in
 * exits to the host. */

#include <stdbool.h>

#include "report.h"
#include "vm.h"

/* @tamper is called when all is prepared and nothing has run; tests break something in it. NULL:
 * nothing is broken. */
typedef void (*Tamper)(Vm *vm);

/* True: L2 ran, and the report has the counts. */
bool proof_run(const Kvm *kvm, Tamper tamper, Report *report);
