/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a QEMU says of itself on its command line, in /proc. Anybody can write anything there: it is
 * a claim. */

#include "root.h"

/* The name of the guest, and its UUID in lower case (whatever was given as one); "" when the
 * process is no QEMU, says none, or is gone. */
char *qemu_read_name(const Root *root, const char *pid);
char *qemu_read_uuid(const Root *root, const char *pid);
