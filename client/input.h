/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file that the command line names, read whole. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

/* "-", or NULL: standard input. */
bool input_is_standard(const char *file);
/* At most @max bytes of it into @text. False with a D-Bus error: it can't be read (Internal), or it
 * is no text (InvalidArgs). */
bool input_read(const char *file, gsize max, GString *text, sd_bus_error *error);
