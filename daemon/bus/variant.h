/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the core's values to messages of the bus. */

#include <glib.h>
#include <systemd/sd-bus.h>

/* A text of others, of which D-Bus takes UTF-8 alone; "" for NULL. */
GVariant *variant_text(const char *text);
/* Appends the members of the tuple @body, one by one; NULL appends nothing. They are of the types
 * that our replies have, in variants, arrays, dictionaries and structs of any depth. A negative
 * errno on failure. */
int variant_append_body(sd_bus_message *message, GVariant *body);
