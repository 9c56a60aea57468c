/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Everything goes back to what it was, for a change that is carried out (change.c) and for one that
 * was cut short (recover.c) alike. It can be cut short again and repeated. */

#include <glib.h>
#include <stdbool.h>

#include "plan.h"
#include "reload.h"
#include "root.h"

/* Everything is tried, whatever else fails. When all is as it was the journal goes, else it says
 * "degraded"; the error is the first one's. Not @whole: something is known to be missing from the
 * plan, so that it fails without another error, once the rest is as it was. */
bool rollback_run(Reload *reload, bool whole, GError **error);
/* HostDegraded, with the command that mends it; @failed: why it could not be put back. */
GError *rollback_degraded(const Plan *plan, const Root *root, const char *cause, const GError *failed);
