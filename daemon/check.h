/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Findings about the host: what is right, what is not, and the exact command that mends it. Pure rules over a snapshot; the ids
 * are stable and listed in the manual. */

#include <glib.h>

#include "host.h"

typedef struct Finding {
        const char *id;
        const char *status; /* "pass" "warn" "fail" "info" */
        char *subject;      /* "host", or a guest's name */
        char *message;
        char *fix; /* a command or "" */
} Finding;

/* Finding*, in a fixed order. @device is what a child that opened /dev/kvm said ("ok", "missing", "denied", "broken",
 * "wrong-node"), or "" when it was not opened: then the node's own properties decide and the message says so. */
GPtrArray *check_host(const Host *host, const char *device);
void finding_free(Finding *finding);
