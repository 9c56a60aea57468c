/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The processes that hold KVM, watched until one of them ends: looked for on a worker of
 * the readings, then a pidfd each. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "readings.h"

typedef struct Pidfds Pidfds;

/* @watched: one that was watched has ended; else a look found one that was gone before it could be
 * watched, or that can't be watched now. */
typedef void (*PidfdEnded)(bool watched, void *userdata);

Pidfds *pidfds_new(sd_event *event, Readings *readings, PidfdEnded ended, void *userdata);
void pidfds_free(Pidfds *pidfds);
/* Looks for them anew; one look at a time. */
void pidfds_look(Pidfds *pidfds);
void pidfds_forget(Pidfds *pidfds);

/* So many processes are watched at most: half of the descriptors that may be open. */
unsigned pidfds_max(void);
/* Watches one process; the descriptor belongs to @ret. A negative errno: -ESRCH when it is gone. */
int pidfds_add(sd_event *event, unsigned pid, sd_event_io_handler_t ended, void *userdata, sd_event_source **ret);
