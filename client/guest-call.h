/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Words of the command line that are about guests: their names, and what is asked for them. It
 * prints nothing. */

#include "client.h"

/* The path of the guest of that name or UUID. */
int guest_call_find(Client *client, const char *name, char **ret, sd_bus_error *error);
/* 1 for yes, 0 for no; -1 when it is no such word. */
int guest_call_switch(const char *word);
