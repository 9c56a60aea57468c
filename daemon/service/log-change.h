/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the journal is told of changes: one entry for each that was made, refused, undone or
 * finished after a cut, with who asked, for what, and what came of it; of those that were refused,
 * as many as the user's budget has (log-budget.h), and the number of the others. The ids are those
 * of the message catalog. */

#include <glib.h>

#include "caller.h"
#include "log-budget.h"
#include "reprobe.h"

#define MESSAGE_CHANGE_MADE "c67b7c8228b64f64a9bd322f5b29af80"
#define MESSAGE_CHANGE_REFUSED "ffea5225d6ae4c2aba9dc5bab34fe404"
#define MESSAGE_CHANGE_FAILED "bb741b2fb2414393b9cb63a9b340efdf"
#define MESSAGE_HOST_DEGRADED "0343f5f0fd2e47acab5e3cfb26b28768"
#define MESSAGE_CHANGE_RECOVERED "309451dd6f0940c3b6b7873536d8f76f"
#define MESSAGE_CHANGES_LEFT_OUT "9bf88a201a274c6084b689f620170e8b"
#define MESSAGE_LIBVIRT_REFRESHED "fea56135dfe3430b979329dcca620111"
#define MESSAGE_LIBVIRT_STALE "3bc06e83a25842f98331c237d0bb525d"

/* The fields besides MESSAGE, MESSAGE_ID and PRIORITY: NESTVIRT_REQUEST=, NESTVIRT_OUTCOME=,
 * NESTVIRT_ERROR= (the D-Bus error's name), NESTVIRT_ERROR_MESSAGE=, of the caller
 * NESTVIRT_CALLER=, NESTVIRT_CALLER_UID=, NESTVIRT_CALLER_PID=, of what libvirt gives to guests
 * NESTVIRT_GAINED=, NESTVIRT_LOST= (names of features, with spaces between), and NESTVIRT_LEFT_OUT=
 * (a number). */

/* The end of a change: made, with @outcome, when @error is NULL; else failed (undone, degraded) or
 * refused, as its condition says. @caller: NULL for what waited for idle; then @budget may be NULL,
 * too. */
void log_change(LogBudget *budget, const Caller *caller, const char *request, const char *outcome, const GError *error);
/* So many refused changes have no entry. A LogBudgetTell. */
void log_left_out(uid_t uid, unsigned count);
/* A change that was cut short, at the start after it. @steps: char*. */
void log_recovered(const GPtrArray *steps, const GError *error);
/* libvirt was made to look again, or could not be. */
void log_reprobe(const Reprobe *reprobe);
