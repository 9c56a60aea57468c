/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KVM's counters of the virtual machines that run now, as debugfs shows them: a folder for each, in
 * it a file for each counter, the virtual CPUs' own summed up (virt/kvm/kvm_main.c,
 * kvm_create_vm_debugfs()). Names are those of the running kernel. Reading opens many files: run it
 * on a worker. What debugfs lacks of a guest may be filled in by whoever runs the guest, under the
 * same names. */

#include <stdbool.h>

#include "root.h"

/* So many machines make one answer. */
#define STATISTICS_MAX 1024U

typedef struct Counter {
        char *name;
        guint64 value;
} Counter;

typedef struct VmStatistics {
        char *name; /* of a guest its UUID, of others as @machine */
        /* of the folder: "PID-FD", of the process that made the machine and its descriptor;
         * NULL: a guest without one */
        char *machine;
        GPtrArray *counters; /* Counter*, sorted by name */
        GPtrArray *withheld; /* char*: counters that are there and may not be read, likewise */
        char *reason;        /* why; "" when none is withheld */
        bool has_uid;        /* the process is known: of a guest that is only libvirt's it is not */
        unsigned uid;        /* its real user */
} VmStatistics;

typedef struct Statistics {
        /* VmStatistics*, sorted by name; a guest of which debugfs says nothing has neither
         * counters nor withheld ones */
        GPtrArray *vms;
        GStrv names;         /* those that are meant; empty: all */
        GError *unreachable; /* why debugfs says nothing of any machine, or NULL */
} Statistics;

/* Of all machines, or (@names not empty) of those: UUIDs or "PID-FD". @guests: a set of UUIDs, of
 * guests that run; a machine is taken for one of them when it is the only one that says so. NULL
 * when the counters can't be reached, and no guest's are meant: UNSUPPORTED, NOT_PERMITTED;
 * NO_SUCH_GUEST when one of @names is not there; LIMITS_EXCEEDED when there are too many for one
 * answer. */
Statistics *statistics_read(const Root *root, GHashTable *guests, const char *const *names, GError **error);
void statistics_free(Statistics *statistics);
/* One that was stolen from vms. */
void vm_statistics_free(VmStatistics *vm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VmStatistics, vm_statistics_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Statistics, statistics_free)

/* char*: the UUIDs of the guests of which something lacks. */
GPtrArray *statistics_lacking(const Statistics *statistics);
/* Fills in what lacks from @counters (UUID -> a table of names and guint64*; NULL: there was no
 * answer, for @problem). Machines of which nothing is known are left out then. False: they are all,
 * or were named; NO_SUCH_GUEST, @problem, or why debugfs says nothing. */
bool statistics_complete(Statistics *statistics, GHashTable *counters, const GError *problem, GError **error);
