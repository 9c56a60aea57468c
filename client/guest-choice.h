/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which guests a command line means, in words for SetCpus. It prints nothing. */

#include "client.h"

/* There is one guest at most that these mean. */
bool guest_choice_is_one(const Client *client, char *const *words);
/* Of --all or the @words, which are names, UUIDs and patterns (fnmatch(3)), those that no pattern
 * of --except is about, in @ret; asks the daemon for names where it has to. None at all: every
 * guest, which only --all means. NoSuchGuest where a pattern or all of it comes to nothing. */
int guest_choice(Client *client, char **words, GStrv *ret, sd_bus_error *error);
