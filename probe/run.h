/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A run of a VM's vCPU. */

#include "report.h"
#include "vm.h"

/* Runs until the guest writes to a port, and returns that; -1 when the report has its
 * conclusion. */
int run_to_port(Vm *vm, unsigned seconds, Report *report);
