/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What guests have run, by KVM's own counters in debugfs, for which no QEMU has to be asked: those
 * of a machine's virtual CPUs, summed up. Reading opens many files: run it on a worker. */

#include "root.h"

typedef struct NestedRun {
        gint64 nested_run; /* entries into guests of its own since its start */
        gint64 guest_mode; /* virtual CPUs that run a guest of the guest right now; -1: this kernel does not tell */
} NestedRun;

/* Of those of @guests, a set of UUIDs of guests that run, of which debugfs tells: UUID ->
 * NestedRun*. A machine is taken for a guest when it is the only one that says so. */
GHashTable *nested_runs_read(const Root *root, GHashTable *guests);
