/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Exits by their reasons, and what they say about nesting. Reasons are the hardware's (Intel's
 * manual, volume 3D, appendix C; AMD's, volume 2, appendix C), names those of the kernel's headers,
 * which its own traces have as well. */

#include <glib.h>
#include <stdbool.h>

typedef enum Isa {
        ISA_NONE, /* what the reasons mean is not known */
        ISA_VMX,
        ISA_SVM,
} Isa;

typedef struct Exit {
        guint32 reason;
        guint64 all, nested; /* those of guests' guests (L2) are part of all */
} Exit;

typedef struct Exits {
        Isa isa;
        guint64 all, nested;
        GHashTable *by_reason; /* reason -> Exit* */
} Exits;

Exits *exits_new(Isa isa);
void exits_free(Exits *exits);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Exits, exits_free)

/* One exit is one that is not nested, and if it was L2's one that is, in any order: two tracepoints
 * tell of it. */
void exits_add(Exits *exits, guint32 reason, bool nested);
void exits_forget(Exits *exits);
/* Exit*, the most frequent first; they stay @exits'. */
GPtrArray *exits_sorted(const Exits *exits);
/* "cpuid", "VMREAD", or the number. */
char *exit_name(Isa isa, guint32 reason);
/* char*: sentences. */
GPtrArray *exits_readings(const Exits *exits);
