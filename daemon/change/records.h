/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a change does to our own records, as files with a text before and one after, so that they
 * become visible, or are put back, together with those of modprobe.d. Each of these fills the
 * records of the plan, and reads files only. */

#include <glib.h>
#include <stdbool.h>

#include "pending.h"
#include "plan.h"
#include "root.h"

/* Both of these, and the third, keep what is written into our drop-in (DROPIN_WRITTEN_PATH).
 *
 * It is in effect (or configured): what waited for that, and what a reload has brought about
 * anyway, waits no longer. @kvm_kept: kvm stayed loaded. */
bool records_done(Plan *plan, const Root *root, bool kvm_kept, GError **error);
/* It waits for idle. */
bool records_deferred(Plan *plan, const Root *root, GError **error);
/* A load that waited has failed: nothing waits any more, and each parameter that did is configured
 * as it was before it was asked for. What else somebody has configured since then stays. */
bool records_reverted(Plan *plan, const Root *root, GError **error);
/* What waits for idle when @plan is carried out, or (@deferred) has to wait itself: into @pending,
 * which has what waits now. */
void records_wait(const Plan *plan, bool deferred, bool kvm_kept, Pending *pending);
