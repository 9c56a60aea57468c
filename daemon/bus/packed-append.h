/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "packed.h"

/* Appends what is in the variant @value, one of packed_find(): the getter of a property is to fill
 * a variant that is open. A negative errno on failure. */
int packed_append(sd_bus_message *message, const char *value);
/* Appends the variant itself. */
int packed_append_variant(sd_bus_message *message, const char *value);
/* Appends all properties, an a{sv}. */
int packed_append_all(sd_bus_message *message, const Packed *packed);
