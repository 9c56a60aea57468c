/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The record on disk of a change under way, written before anything is touched and removed after
 * everything is done: what the files and the modules were, and what they are to become. A key file
 * beneath var/lib/nestvirt. Of one that says "degraded" a power cut leaves all, or the one before;
 * of the others nothing is to be done after another boot, so that they may as well be lost with it
 * or come back: they are whole or not there. */

#include <glib.h>
#include <stdbool.h>

#include "journal-phase.h"
#include "plan.h"
#include "root.h"

bool journal_write(const Root *root, const Plan *plan, JournalPhase phase, GError **error);
/* The recorded plan, or NULL: without @error when there is no journal, with it when the journal
 * can't be understood. */
Plan *journal_read(const Root *root, JournalPhase *ret_phase, GError **error);
bool journal_clear(const Root *root, GError **error);
/* The same of one that has never said "degraded", which a power cut may bring back. */
bool journal_clear_soon(const Root *root, GError **error);
