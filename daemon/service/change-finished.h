/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signal ChangeFinished: sent for what waited for idle and does so no longer. How it ended is
 * seen on the host, so it is told right whoever ended it. */

#include <glib.h>
#include <systemd/sd-bus.h>

#include "host.h"

/* @before: module -> (parameter -> value), what waited in the snapshot before the present
 * one. @failure: the name of the error that has ended an attempt, or NULL. @outcome: of an attempt
 * that has ended without one, for the modules that are there; NULL: it is to be seen on the
 * host. */
void change_finished_signal(sd_bus *bus, const Host *host, GHashTable *before, const char *outcome,
                            const char *failure);
