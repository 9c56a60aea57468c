/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Findings about the host: what is right, what is not, and the exact command that mends it. Pure
 * rules over a snapshot; the ids are stable and listed in the manual.
 *
 * "fail" is what is broken now: a change that could not be undone, KVM not loaded on a CPU that
 * could, no usable /dev/kvm beside a loaded KVM, a CPU without what the configuration asks for.
 * "warn" is what may surprise later: settings that are not in effect, lines that contradict each
 * other or do nothing, a module that could not be loaded again. A machine that simply can't nest,
 * and nesting that is switched off, are "info". A healthy host has nothing but "pass" and
 * "info". */

#include <glib.h>

#include "host.h"
#include "surroundings.h"

typedef struct Finding {
        const char *id;
        const char *status; /* "pass" "warn" "fail" "info" */
        char *subject;      /* "host", or a guest's name */
        char *message;
        char *fix; /* a command or "" */
} Finding;

/* Finding*, in a fixed order. @device is what a child that opened /dev/kvm said ("ok", "missing",
 * "denied", "broken", "wrong-node"; "failed": the child could not do it), or "" when it was not to
 * be opened: in these two cases the node's own properties decide and the message says so. */
GPtrArray *check_host(const Host *host, const Surroundings *around, const char *device);
void finding_free(Finding *finding);
