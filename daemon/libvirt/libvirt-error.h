/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt says of the last call of this thread that failed. The next call forgets it. */

#include <glib.h>
#include <stdbool.h>

/* Sets @error to @code with libvirt's last message. */
void libvirt_error(GError **error, int code, const char *doing);
/* There is no guest any more. */
bool libvirt_error_is_gone(void);
