/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where the journal of a change is (change/journal.c), how far it says that the change went, and
 * whether it is whole: the host's snapshot wants that alone. A key file beneath var/lib/nestvirt
 * that survives power loss. Its last line is a comment with the SHA-256 of all before it; the
 * journal of nestvirtd 0.1 has none, and no version. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

#define JOURNAL_PATH "var/lib/nestvirt/change"
/* One that is damaged is kept under this name, and changes are refused, until a reload, or a reset
 * that loads KVM anew, has made the host one that is known; then it has the other name. */
#define JOURNAL_DAMAGED_NAME "change.damaged"
#define JOURNAL_DAMAGED_PATH "var/lib/nestvirt/" JOURNAL_DAMAGED_NAME
#define JOURNAL_SETTLED_NAME "change.settled"
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
/* The text of @file as it is written, with its checksum. */
char *journal_phase_seal(GKeyFile *file);
/* All of a journal, with the phase; NULL with an error of the domain CONDITION when it is
 * damaged. */
GKeyFile *journal_phase_parse(const char *text, size_t size, JournalPhase *ret_phase, GError **error);
/* The same of the file; NULL without @error when there is none, and with one of another domain when
 * it can't be read, which is not known to last. */
GKeyFile *journal_phase_read(const Root *root, JournalPhase *ret_phase, GError **error);
