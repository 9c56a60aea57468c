/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connection to the bus, and the name that we have on it. */

#include <glib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "object.h"

/* Connects, on the loop of @event, and puts the objects on the bus; a negative errno on failure. */
int bus_open(sd_event *event, Objects *objects, sd_bus **ret);

/* In its place a connection to whoever has the other end of the socket @fd, which becomes the
 * connection's; it is not spoken to yet. */
int bus_open_peer(int fd, sd_bus **ret);
/* Serves the objects to that peer, on the loop of @event; @left is called when it has gone. */
int bus_serve_peer(sd_bus *bus, sd_event *event, Objects *objects, sd_bus_message_handler_t left, void *userdata);

typedef void (*BusReady)(gpointer userdata);
/* Asks for the bus name; @ready is called when it is ours. Without it there is nothing to serve:
 * the loop is ended. */
int bus_claim_name(sd_bus *bus, BusReady ready, gpointer userdata);
