/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What ListGuests tells, read row by row: there may be ten thousand. */

#include "connection.h"

/* The texts are the message's. */
typedef struct GuestRow {
        const char *path; /* of the object */
        const char *name, *mode, *model, *policy, *next_start, *now, *using, *saved_state;
        bool active, restart_needed;
} GuestRow;

/* Asks for it; @kind says how long that may take, as libvirt is asked for what can have changed. */
int guest_list_ask(Client *client, CallKind kind, sd_bus_message **ret, sd_bus_error *error);
/* Has each row taken by @take; @ret_omitted: how many more there are. A negative errno when it is
 * something else. */
int guest_list_read(sd_bus_message *guests, void (*take)(const GuestRow *row, gpointer userdata), gpointer userdata,
                    guint64 *ret_omitted);
