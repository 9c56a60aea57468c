/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a plan needs to be carried out, checked before anything is touched. Pure, but for the look
 * at the modules' files. */

#include <glib.h>
#include <stdbool.h>

#include "host.h"
#include "plan.h"
#include "request.h"

/* Unsupported (an install or remove line, an option that the kernel refuses, a parameter that is
 * needed and off, the module's file gone, a root that is not the machine), Builtin, NotPermitted;
 * each says what to do. */
bool preconditions_check(const Host *host, const Loader *loader, const Request *request, const Plan *plan,
                         GError **error);
