/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From messages of the bus to values: the one converter, whatever the signature. */

#include <glib.h>
#include <systemd/sd-bus.h>

/* The whole body as a tuple, not floating; a negative errno when @message is malformed, holds a
 * file descriptor, or is nested too deeply. */
int message_read(sd_bus_message *message, GVariant **ret);
