/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KVM's counters of the virtual machines that run now, as debugfs shows them: a folder for each, in it a file for each counter, the virtual
 * CPUs' own summed up (virt/kvm/kvm_main.c, kvm_create_vm_debugfs()). Names are those of the running kernel. Reading opens many files:
 * run it on a worker. */

#include "root.h"

/* At the root that is the machine. */
#define STATISTICS_PATH "sys/kernel/debug/kvm"
/* So many machines make one answer. */
#define STATISTICS_MAX 1024U

typedef struct Counter {
        char *name;
        guint64 value;
} Counter;

typedef struct VmStatistics {
        char *name;          /* of the folder: "PID-FD", of the process that made the machine and its descriptor */
        GPtrArray *counters; /* Counter*, sorted by name */
        GPtrArray *withheld; /* char*: counters that are there and may not be read, likewise */
        char *reason;        /* why; "" when none is withheld */
} VmStatistics;

/* VmStatistics*, sorted by name: of all machines, or (@names not empty) of those. NULL when the counters can't be reached: UNSUPPORTED,
 * NOT_PERMITTED; NO_SUCH_GUEST when one of @names is not there; LIMITS_EXCEEDED when there are too many for one answer. */
GPtrArray *statistics_read(const Root *root, const char *const *names, GError **error);
void vm_statistics_free(VmStatistics *vm);
