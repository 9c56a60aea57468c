/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* After a change: whether nesting is what the kernel's parameters now say it is, as the probe
 * shows. */

#include "client.h"

/* @result: what the change has answered. Returns it with one key more, Verified ("on", "off"), when
 * the probe has shown what the host says; else NULL and @error: HostDegraded when it has shown
 * something else. */
Value *verify_change(Client *client, const Value *result, sd_bus_error *error);
