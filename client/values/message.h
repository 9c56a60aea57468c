/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From messages of the bus to values: the one reader, whatever the signature. */

#include <systemd/sd-bus.h>

#include "value.h"

/* The next value of @message, of that @type, which is one complete type; its texts are the
 * message's, which is kept. A negative errno when it is another, malformed, holds a file
 * descriptor, or is nested too deeply. */
int message_read(sd_bus_message *message, const char *type, Value **ret);
