/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The questions that nearly all calls are, Get and GetAll of org.freedesktop.DBus.Properties. What
 * sd-bus makes of a vtable comes to the same answer for twice the work: it looks for each property,
 * and has its name checked, anew. */

#include "object.h"

/* @message is such a question, whatever it is about. */
bool object_is_asked(sd_bus_message *message);
/* Answers it: 1, or a negative errno. 0: it is not about a property or about the interface that
 * @object has, and sd-bus is to say so. */
int object_answer(Object *object, sd_bus_message *message);
