/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Findings about the host: what is right, what is not, and the exact command that mends it. Pure
 * rules over a snapshot; the ids are stable and listed in the manual. */

#include <glib.h>

#include "check-facts.h"
#include "finding.h"
#include "host.h"

/* Finding*, in a fixed order. @device is what a child that opened /dev/kvm said ("ok", "missing",
 * "denied", "broken", "wrong-node"; "failed": the child could not do it), or "" when it was not to
 * be opened: in these two cases the node's own properties decide and the message says so. */
GPtrArray *check_host(const Host *host, const CheckFacts *facts, const char *device);
