/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A guest as a row of ListGuests. */

#include <systemd/sd-bus.h>

#include "bound.h"
#include "guest-facts.h"
#include "guest-host.h"

#define GUEST_ROW_TYPE "(osbssssssbs)"

/* Appends it as that when there is room among @rows, which counts it if not. */
int guest_row_append(const GuestFacts *facts, const GuestHost *host, sd_bus_message *message, BoundRows *rows);
/* The last row, which stands for so many others. */
int guest_row_append_rest(guint32 omitted, sd_bus_message *message);
