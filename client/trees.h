/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Trees of files in the place of the machine: a nestvirtd of our own looks at one after the other,
 * and is spoken to without a bus. It knows no verb. */

#include <systemd/sd-bus.h>

typedef struct Trees Trees;

/* Nothing is started yet. */
Trees *trees_new(void);
/* Ends the daemon; may be NULL. */
void trees_free(Trees *trees);
/* A connection to a daemon that looks at the folder @path, in @ret; the one before is to be closed.
 * A negative errno, and @error says what can't be had. */
int trees_open(Trees *trees, const char *path, sd_bus **ret, sd_bus_error *error);
