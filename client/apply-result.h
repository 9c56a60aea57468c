/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What Apply has answered, told to people or as it is to programs. */

#include "client.h"

/* The exit status: 1 when a guest failed. */
int apply_result_print(const Client *client, const Value *result);
/* In what the host differs. The exit status: EXIT_NO when it does, 1 when that can't be told of a
 * guest; what only waits does not count, unless @strict. */
int apply_result_print_drift(const Client *client, const Value *result, bool strict);
