/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Entries of systemd's journal: fields as somebody else has put them together, and plain lines for
 * errors. */

#include <glib.h>

/* "NAME=value" (char*). */
GPtrArray *log_fields_new(void);
void log_fields_add(GPtrArray *fields, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Sends @fields with these besides; @id may be NULL. From LOG_ERR on it is told on standard error
 * as well, unless that is the journal. */
void log_send(GPtrArray *fields, int priority, const char *id, const char *message);
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
