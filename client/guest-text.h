/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Guests in words for people. It must not interpret what the daemon says. */

#include <systemd/sd-bus.h>

#include "output.h"

/* What ListGuests has answered, a line for each guest; a negative errno when it is something
 * else. */
int guest_text_table(Output *out, sd_bus_message *guests);
/* How many guests that answer speaks of, those that it leaves out among them; likewise. */
int guest_text_count(sd_bus_message *guests, guint64 *ret);
/* All that is known of one, a{sv}. */
void guest_text_one(Output *out, GVariant *guest);
/* How many there are, and how many of them can nest, do, and won't start: a line of nestvirtctl
 * status; NULL when there are none. */
char *guest_text_summary(const GPtrArray *guests);
