/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of events from a thread of the hypervisor's to the loop: which guests there is news of.
 * It reads nothing of them. */

#include <glib.h>
#include <stdbool.h>

typedef struct GuestEvents GuestEvents;

/* NULL and a negative errno in @ret_error on failure. */
GuestEvents *guest_events_new(int *ret_error);
void guest_events_free(GuestEvents *events);
int guest_events_fd(const GuestEvents *events);
/* A HypervisorEvent whose userdata is the events; may be called by any thread. */
void guest_events_put(const char *uuid, gpointer events);
/* The UUIDs that have come, each once, and whether the connection was lost. Empties it. */
GPtrArray *guest_events_take(GuestEvents *events, bool *ret_lost);
