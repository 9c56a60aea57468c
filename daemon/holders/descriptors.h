/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The open files of processes, and whether one of them is KVM's. On the machine the kernel says so:
 * a character device of /dev/kvm's numbers (Documentation/admin-guide/devices.txt), or a file of
 * its anonymous inodes (fs/anon_inodes.c) that is named as KVM names its own (virt/kvm/kvm_main.c).
 * The path that a link in /proc/PID/fd shows is one in the mount namespace of that process, where
 * anybody can have a file of any name, and proves nothing. In a tree of files it is all there
 * is. */

#include <stdbool.h>

#include "root.h"

/* What may be spent. A process can have a million descriptors, and share them with others. */
typedef struct Bounds {
        unsigned first; /* descriptors of each process that are looked at before any others */
        unsigned each;  /* of one process */
        unsigned all;   /* of all processes together */
        gint64 each_usec;
        gint64 all_usec;
} Bounds;

typedef struct Descriptors {
        const Root *root;
        Bounds bounds;
        guint64 anonymous; /* the device number of the anonymous inodes; 0: not known */
        gint64 end;        /* g_get_monotonic_time() */
        unsigned looked;   /* at so many descriptors */
        bool cut;          /* a bound has struck, or the system was short of something */
} Descriptors;

typedef enum Holding {
        HOLDING_NOT,
        HOLDING_KVM,
        HOLDING_MORE, /* not among those that were looked at, and there are more */
} Holding;

void descriptors_begin(Descriptors *descriptors, const Root *root, const Bounds *bounds);
/* That is all for this scan. */
bool descriptors_spent(Descriptors *descriptors);
/* Looks at the descriptors of @pid in the kernel's order, from the @from-th to before the
 * @to-th. */
Holding descriptors_look(Descriptors *descriptors, const char *pid, unsigned from, unsigned to);
