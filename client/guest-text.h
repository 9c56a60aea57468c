/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Guests in words for people. It must not interpret what the daemon says. */

#include <systemd/sd-bus.h>

#include "output.h"
#include "value.h"

/* What ListGuests has answered, a line for each guest; a negative errno when it is something
 * else. */
int guest_text_table(Output *out, sd_bus_message *guests);
/* All that is known of one: its properties. */
void guest_text_one(Output *out, const Value *guest);
/* How many there are, and how many of them can nest, do, and won't start: a line of nestvirtctl
 * status, "" when there are none. Likewise. */
int guest_text_summary(sd_bus_message *guests, char **ret);
