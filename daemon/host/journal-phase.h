/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the journal of a change is (change/journal.c), and how far it says that the change went.
 * The host's snapshot wants that alone. A key file beneath var/lib/nestvirt, of which only the
 * phase is known here; it survives power loss. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

#define JOURNAL_PATH "var/lib/nestvirt/change"
/* Our files are at most PLAN_FILE_MAX (plan.h) long, there are two of them, and what waits for idle
 * remembers them as well; each byte may be written as several. */
#define JOURNAL_MAX ((size_t) 16 * 1024 * 1024)

/* No phase goes back to an earlier one. */
typedef enum JournalPhase {
        JOURNAL_BEGUN,    /* modules may have been touched, no file has been: undo it */
        JOURNAL_PROVEN,   /* the new values were read back, and every new file is staged: finish it */
        JOURNAL_UNDOING,  /* files may have been touched, too: undo it, and put them back */
        JOURNAL_DEGRADED, /* the same, and it has been tried and failed: somebody has to look */
} JournalPhase;

void journal_phase_set(GKeyFile *file, JournalPhase phase);
/* All of the journal, with the phase; NULL without @error when there is none, with it when it can't
 * be understood. */
GKeyFile *journal_phase_read(const Root *root, JournalPhase *ret_phase, GError **error);
