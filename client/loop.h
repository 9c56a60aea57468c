/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waiting for signals of the bus, until the user has had enough of it. */

#include "client.h"

/* Handles what comes from the bus until @finished says yes, looked at whenever all that has come is
 * handled. Returns 0 then; -EINTR when SIGINT or SIGTERM came, another negative errno when the
 * connection is lost. */
int loop_run(const Client *client, bool (*finished)(void *userdata), void *userdata);

/* From now on SIGINT and SIGTERM wait for loop_run(), which does this itself if nobody did. For
 * what must not be cut short before. */
void loop_hold_signals(void);
