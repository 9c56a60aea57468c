/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Words of the command line that are about guests: their names, and what is asked for them. It
 * prints nothing. */

#include "client.h"

/* The object of the guest of that name or UUID, as "o". */
int guest_call_find(Client *client, const char *name, GVariant **ret, sd_bus_error *error);
/* The answer of ListGuests. */
int guest_call_list(Client *client, sd_bus_message **ret, sd_bus_error *error);
/* 1 for yes, 0 for no; -1 when it is no such word. */
int guest_call_switch(const char *word);
