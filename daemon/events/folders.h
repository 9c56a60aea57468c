/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files whose changes matter, watched by inotify: the modprobe.d folders (or, of one that is
 * not there, the nearest folder above it), and the device node in its folder. It reads none of
 * them. */

#include <stdbool.h>

#include "root.h"

typedef struct Folders Folders;

/* NULL and a negative errno in @ret_error on failure. */
Folders *folders_new(Root *root, int *ret_error);
void folders_free(Folders *folders);
int folders_fd(const Folders *folders);
/* Reads what is there; true when some of it matters. */
bool folders_read(Folders *folders);
/* Watches what has come since, and no longer what has gone. To be called before the files are read
 * again. */
void folders_arm(Folders *folders);
