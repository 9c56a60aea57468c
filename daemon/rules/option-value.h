/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a line of modprobe.d or of the kernel command line says of a parameter. Pure. */

#include <stdbool.h>

#include "catalog.h"
#include "host.h"

/* Normalised; NULL when the kernel would refuse it. */
char *option_value_parse(const Host *host, const Parameter *parameter, const Option *option);
/* The first line that the kernel would refuse, and with it the load of the whole module; NULL when
 * there is none. */
const Option *option_value_refused(const Host *host, const Parameter *parameter);
