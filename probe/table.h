/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the combinations of page tables of L0 and L1 cost: exits to the host for one operation of L2, and for a fixed workload. */

#include <stdbool.h>

#include "order.h"
#include "proof.h"
#include "report.h"
#include "vm.h"

/* "one-level", "shadow-on-npt", "npt-on-npt": which tables L1 has for L2, on which L0 has for L1. */
const char *table_way_name(const Kvm *kvm, Way way);

/* The operations that are measured. */
typedef struct TableRow {
        const char *name;
        Operation operation;
        uint32_t few, many; /* how often, to take the difference */
} TableRow;

#define TABLE_ROWS 5
extern const TableRow table_rows[TABLE_ROWS];

/* All ways that this host offers. False: the report has the conclusion. With @times, operations are timed as well. */
bool table_run(const Kvm *kvm, bool times, Tamper tamper, Report *report);
