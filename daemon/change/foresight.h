/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a plan would make of the host, by what the kernel does (load-options.h) and by what the
 * reader of modprobe.d says with the new texts. It reads files, and alters none. */

#include <glib.h>
#include <stdbool.h>

#include "host.h"
#include "parameter-state.h"
#include "plan.h"
#include "request.h"

/* A module that must go for @plan, and that somebody holds, or (@perhaps) may hold. */
bool foresight_blocked(const Host *host, const Plan *plan, bool perhaps);
/* ParameterState*, as they will be when @plan, made of @host for @request, has been carried out. It
 * is as if those in the way had gone, but for one that waits for them: then as while it waits.
 * Internal when a source can't be read. */
GPtrArray *foresight_states(const Host *host, const Request *request, const Plan *plan, GError **error);
