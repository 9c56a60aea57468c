/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What tells that the host may have changed: the kernel's events about KVM, its modules and the
 * processors, changed files in the modprobe.d folders, the device node opened and closed. Bursts
 * are gathered; then the daemon refreshes. It reads nothing of the host itself. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "operation-queue.h"
#include "root.h"

typedef struct Watch Watch;

typedef struct WatchHeard {
        gint64 last; /* when the last of it came in: g_get_monotonic_time() */
        bool cpus;   /* some of it is of the processors, or events were lost, or somebody has asked for it */
} WatchHeard;

/* Something may have changed, and the host is at rest. */
typedef void (*WatchNews)(gpointer userdata, const WatchHeard *heard);

/* NULL and a negative errno in @ret_error on failure. Beneath a root that is not the machine only
 * files are watched. */
Watch *watch_new(sd_event *event, Root *root, OperationQueue *queue, WatchNews news, gpointer userdata, int *ret_error);
/* To be called before the host is read: looks for what has come into being, or become another one,
 * and watches it, so that nothing is missed between the reading and the first event. @watch is a
 * Watch. */
void watch_arm(gpointer watch);
/* As if something had happened: a WatchNews follows soon. @watch is a Watch. */
void watch_look(gpointer watch);
void watch_free(Watch *watch);
