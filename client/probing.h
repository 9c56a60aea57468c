/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ways to a result of the probe, which is that of Manager.Probe. NULL and @error, which is a D-Bus
 * error, when there is none. */

#include "client.h"

/* By the daemon, which keeps the result, and never during a change. */
Value *probing_ask(Client *client, sd_bus_error *error);
/* Without the daemon where that is possible; the program then tells more than the daemon
 * publishes. */
Value *probing_run(Client *client, sd_bus_error *error);
