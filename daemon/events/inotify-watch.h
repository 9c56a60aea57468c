/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files whose changes matter, watched by inotify: the modprobe.d folders (or, of one that is
 * not there, the nearest folder above it), and the device node in its folder. It reads none of
 * them. */

#include <stdbool.h>

#include "root.h"

typedef struct InotifyWatch InotifyWatch;

/* NULL and a negative errno in @ret_error on failure. */
InotifyWatch *inotify_watch_new(Root *root, int *ret_error);
void inotify_watch_free(InotifyWatch *inotify);
int inotify_watch_fd(const InotifyWatch *inotify);
/* Reads what is there; true when some of it matters. */
bool inotify_watch_read(InotifyWatch *inotify);
/* Watches what has come since, and no longer what has gone. To be called before the files are
 * read, the first time and again. False when a folder could not be looked for (fault.h), so that it
 * has to be called again soon. */
bool inotify_watch_arm(InotifyWatch *inotify);
