/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The options as they were typed, and whether they fit the verb. */

#include "command.h"

typedef struct Arguments {
        unsigned bits; /* options given that not every verb takes */
        bool help, version;
} Arguments;

/* Into @client, and what is left for the caller into @ret; the words begin at optind then. 0, or
 * the exit status of a wrong usage. All are read before one is complained of: --json may come
 * later. */
int arguments_parse(Client *client, int argc, char **argv, Arguments *ret);
/* 0, or the exit status of options that @verb does not take, or that exclude each other. */
int arguments_check(const Client *client, const Verb *verb, const Arguments *arguments);
