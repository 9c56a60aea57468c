/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Connections that were allowed to see what is hidden from others, for as long as they are on the
 * bus. What is hidden it does not know. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "caller.h"

typedef struct Seers Seers;

Seers *seers_new(void);
void seers_free(Seers *seers);
/* @caller is watched. */
void seers_add(Seers *seers, const Caller *caller);
/* The sender of the message that @bus is at is one of them. */
bool seers_have(const Seers *seers, sd_bus *bus);
