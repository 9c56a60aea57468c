/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Entries of systemd's journal: fields as somebody else has put them together, and plain lines. How
 * much is told, and where, can be set while the daemon runs, in the words of
 * org.freedesktop.LogControl1(5). All of it may be called by any thread. */

#include <glib.h>
#include <stdbool.h>

/* "emerg" … "debug": what is less urgent is not told. At the start "info", which leaves out what
 * is told by log_debug(). Setting it is false for a word that is none. */
const char *log_level(void);
bool log_set_level(const char *level);
/* "journal", or "console": lines on standard error, without the fields. Likewise. */
const char *log_target(void);
bool log_set_target(const char *target);
/* What entries are known by: SYSLOG_IDENTIFIER. */
const char *log_identifier(void);

/* "NAME=value" (char*). */
GPtrArray *log_fields_new(void);
void log_fields_add(GPtrArray *fields, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Sends @fields with these besides; @id may be NULL. From LOG_ERR on it is told on standard error
 * as well, unless that is the journal. */
void log_send(GPtrArray *fields, int priority, const char *id, const char *message);
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* What makes the daemon do something, for who looks for the reason. */
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);
