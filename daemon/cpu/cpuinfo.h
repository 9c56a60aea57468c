/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /proc/cpuinfo (arch/x86/kernel/cpu/proc.c; the "vmx flags" line exists since Linux 5.6): the
 * lines of the first processor that concern virtualization, and which others do not have the same
 * flags. What they mean is cpu.c's. */

#include <glib.h>

#include "root.h"
#include "stamps.h"

typedef struct Cpuinfo {
        /* Of the first processor; NULL when there is no such line. */
        char *vendor, *model, *flags, *vmx_flags, *features, *implementer, *architecture, *isa;
        GStrv virtualization; /* its virtualization flags in the kernel's spelling, sorted, no duplicates */
        unsigned processors;  /* how many were read */
        GPtrArray *spread;    /* CpuOdd*: virtualization flags that others do not share with it */
        gint references;
        Stamps *stamps;
} Cpuinfo;

/* Never fails: what can't be read is not there. */
Cpuinfo *cpuinfo_read(const Root *root);
/* Another reference to @before, which belongs to one thread, when the file has not changed since.
 * Of the machine's, which changes with its processors and has no time, the caller knows that
 * nothing was heard of them. */
Cpuinfo *cpuinfo_read_since(const Root *root, Cpuinfo *before);
void cpuinfo_free(Cpuinfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cpuinfo, cpuinfo_free)

/* A word among words that are told apart by spaces; @words may be NULL. */
bool cpuinfo_has_word(const char *words, const char *word);
