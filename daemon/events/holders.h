/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The processes that hold KVM, watched until one of them ends: looked for on the worker of
 * readings, then a pidfd each. */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "readings.h"

typedef struct Holders Holders;

/* @watched: one that was watched has ended; else a look found one that was gone before it could be
 * watched. */
typedef void (*HolderEnded)(bool watched, void *userdata);

Holders *holders_new(sd_event *event, Readings *readings, HolderEnded ended, void *userdata);
void holders_free(Holders *holders);
/* Looks for them anew; one look at a time. */
void holders_look(Holders *holders);
void holders_forget(Holders *holders);
