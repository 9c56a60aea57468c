/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files that the desired state of a host is in: *.conf of two folders, by systemd's rules
 * (systemd.unit(5), tmpfiles.d(5)): one in etc/nestvirt hides that of the same name in
 * usr/lib/nestvirt; an empty one, or a link to /dev/null, says nothing and hides all the same; they
 * are read in the order of their names, whatever their folder, and of a key that is given by
 * several files the last one counts. nestvirtd.conf is the daemon's own (settings.h). */

#include "desired.h"
#include "root.h"
#include "stamps.h"

#define DESIRED_FOLDER "etc/nestvirt"
#define DESIRED_VENDOR_FOLDER "usr/lib/nestvirt"

/* More files are refused. */
#define DESIRED_FILES_MAX 1024U

/* What they say; empty when there are none. NULL and the error of desired.h, or that of a file that
 * can't be read. @stamps, or NULL: gets all that it was made of. */
Desired *desired_read(const Root *root, Stamps *stamps, GError **error);
