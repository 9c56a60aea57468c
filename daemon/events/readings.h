/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Readings of the host that take a while, on workers of their own, so that they are answered during
 * a change. What needs to know who holds KVM has one to itself: somebody with very many open files
 * makes nobody else wait but those who ask for that. */

#include <systemd/sd-event.h>

#include "root.h"
#include "users.h"
#include "worker.h"

typedef struct Readings {
        Worker *worker;
        Worker *scans; /* of what calls readings_users() */
        sd_event_source *worker_source, *scans_source;
        Root *root;
        UsersScan scan; /* that worker's alone */
} Readings;

/* NULL and a negative errno in @ret_error on failure. */
Readings *readings_new(sd_event *event, Root *root, int *ret_error);
/* Waits for those under way. */
void readings_free(Readings *readings);

/* Who holds KVM, for somebody who asked at @asked (users_scan_shared()). For jobs of the worker of
 * scans. */
Users *readings_users(Readings *readings, gint64 asked);
