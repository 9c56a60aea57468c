/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What --help prints: the tables of verbs and options. */

#include "client.h"

/* Also for who is quiet: it was asked for. */
void help_print(Client *client);
