/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signal ChangeFinished: sent for what waited for idle and does so no longer. How it ended is seen on the host, so it is told right
 * whoever ended it. */

#include "daemon.h"

/* @before: module -> (parameter -> value), what waited in the snapshot before the daemon's present one. @failure: the name of the error that
 * has ended an attempt, or NULL. */
void finished_signal(Daemon *daemon, GHashTable *before, const char *failure);
