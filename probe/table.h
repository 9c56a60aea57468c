/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the combinations of page tables of L0 and L1 cost: exits to the host for one operation of
 * L2, and for a fixed workload. */

#include <stdbool.h>

#include "kvm.h"
#include "proof.h"
#include "report.h"

/* All ways that this host offers. False: the report has the conclusion. With @times, operations are
 * timed as well. */
bool table_run(const Kvm *kvm, bool times, Tamper tamper, Report *report);
