/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Judges one parameter: what it is set to, what the CPU lets it be, and what the next load gets.
 * Rules over a snapshot. Pure. */

#include <glib.h>
#include <stdbool.h>

#include "catalog.h"
#include "effect.h"
#include "host.h"

/* NULL when this kernel's module has no such parameter. Of a built-in module only the kernel
 * command line is configured: lines in modprobe.d are overridden by it even when it says
 * nothing. */
Effect *effect_new(const Host *host, const Parameter *parameter);
/* True when the CPU has what the parameter needs, or when it is unknown whether it has; else
 * @ret_missing (may be NULL) names what is missing, comma-separated. */
bool effect_supported(const Host *host, const Parameter *parameter, char **ret_missing);
