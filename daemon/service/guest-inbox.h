/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way of events from a thread of the hypervisor's to the loop: which guests there is news of.
 * It reads nothing of them. */

#include <glib.h>
#include <stdbool.h>

typedef struct GuestInbox GuestInbox;

/* NULL and a negative errno in @ret_error on failure. */
GuestInbox *guest_inbox_new(int *ret_error);
void guest_inbox_free(GuestInbox *inbox);
int guest_inbox_fd(const GuestInbox *inbox);
/* A HypervisorEvent whose userdata is the inbox; may be called by any thread. */
void guest_inbox_put(const char *uuid, gpointer inbox);
/* The UUIDs that have come, each once, and whether the connection was lost. Empties it. */
GPtrArray *guest_inbox_take(GuestInbox *inbox, bool *ret_lost);
