/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a request and a snapshot to a plan. Making one changes nothing. */

#include <glib.h>

#include "host.h"
#include "loader.h"
#include "plan.h"
#include "request.h"

/* Errors: Overridden, Builtin, NotPermitted, Unsupported (an install or remove line, a needed
 * parameter that is off). Busy is not among them: who holds a module is known only when it is
 * tried, or by users_scan(). */
Plan *plan_new(const Host *host, const Loader *loader, const Request *request, GError **error);
