/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The end of a change that waits for idle. */

#include "client.h"

typedef struct Wait Wait;

/* Listens from now on: called before the change is asked for, so that no end can be missed. */
int wait_new(Client *client, Wait **ret, sd_bus_error *error);
void wait_free(Wait *wait);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wait, wait_free)

/* Waits until nothing of @parameters ("module.name"; NULL or empty: of anything) is pending. 0 and
 * the outcome ("applied", "configured") in @ret; -EINTR when the user does not want to wait any
 * longer; else a negative errno and @error: how the change failed, or why its end can't be told. */
int wait_run(Wait *wait, GPtrArray *parameters, char **ret, sd_bus_error *error);
