/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* ssh, by which another host's bus is reached: sd-bus starts it as a child of ours and tells
 * nothing of it. */

#include <systemd/sd-bus.h>

/* 0, or a negative errno with @error filled in where there is no ssh to be started. */
int remote_check(const char *host, sd_bus_error *error);
/* Fills @error with why the connection to @host failed with @errnum. */
void remote_explain(const char *host, int errnum, sd_bus_error *error);
