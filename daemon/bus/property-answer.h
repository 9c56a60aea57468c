/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The questions that nearly all calls are, Get and GetAll of org.freedesktop.DBus.Properties. What
 * sd-bus makes of a vtable comes to the same answer for twice the work: it looks for each property,
 * and has its name checked, anew. */

#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "packed.h"

/* @message is such a question, whatever it is about. */
bool property_is_asked(sd_bus_message *message);
/* Answers it with what there is of @properties, those of @interface: 1, or a negative errno. 0: it
 * is about something else, and sd-bus is to say so. @last: of packed_find(). */
int property_answer(sd_bus_message *message, const char *interface, const Packed *properties, gsize *last);
