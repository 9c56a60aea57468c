/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Readings of the host that take a while, on a worker of their own, so that they are answered
 * during a change. */

#include <systemd/sd-event.h>

#include "root.h"
#include "users.h"
#include "worker.h"

typedef struct Readings {
        Worker *worker;
        Root *root;
        UsersScan scan; /* the worker's alone */
} Readings;

/* NULL and a negative errno in @ret_error on failure. */
Readings *readings_new(sd_event *event, Root *root, int *ret_error);
/* Waits for the one under way. */
void readings_free(Readings *readings);

/* Who holds KVM, for somebody who asked at @asked (users_scan_shared()). For jobs of the worker. */
Users *readings_users(Readings *readings, gint64 asked);
