/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What our files are to say, read as modprobe will read it with all that others have written: what
 * does not come out of that as it was meant is not written. It reads files, and alters none. */

#include <glib.h>
#include <stdbool.h>

#include "dropin.h"
#include "host.h"
#include "request.h"

/* What modprobe.d and the kernel command line say with the new texts of @files (PlanFile*).
 * Internal when a source can't be read. */
Options *read_back_options(const Root *root, const GPtrArray *files, GError **error);
/* @kept, @runtime: our files as they will be; @files: PlanFile*, those of them that change.
 * Overridden or Unsupported, with the file and the line that are in the way of what is asked for,
 * or of what our files said before and are to say still; Internal when a source can't be read. */
bool read_back_check(const Host *host, const Request *request, const Dropin *kept, const Dropin *runtime,
                     const GPtrArray *files, GError **error);
