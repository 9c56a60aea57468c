/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* That only one daemon looks after a host: a second one would take the record of a change under way
 * for that of one that was cut short, and undo it beneath the first. The kernel takes the lock off
 * when the process is gone, however it went. */

#include <glib.h>

#include "root.h"

#define LOCK_PATH "var/lib/nestvirt/lock"
/* In its place where that can't be made, but for want of a right. */
#define LOCK_RUN_PATH "run/nestvirt/lock"

/* A file descriptor that holds the lock as long as it is open. -1 with Busy when somebody else has
 * it; -1 with Internal when neither can be made; -1 without an error when the caller has no right
 * to it (EACCES, EPERM), and so none to change the host either. */
int lock_take(const Root *root, GError **error);
