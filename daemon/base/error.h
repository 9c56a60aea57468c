/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The conditions that a caller can tell apart, and their names on D-Bus: one table, used by the
 * core (as GError codes), by the wire (as D-Bus error names) and by the client (as exit statuses).
 * It knows no message texts. */

#include <glib.h>
#include <stdbool.h>

typedef enum Condition {
        CONDITION_INTERNAL,     /* a defect or an I/O error of the daemon's own files */
        CONDITION_INVALID_ARGS, /* unknown flags, contradicting flags, malformed names */
        CONDITION_NO_SUCH_PARAMETER,
        CONDITION_INVALID_VALUE,
        CONDITION_UNSUPPORTED,
        CONDITION_BUILTIN,
        CONDITION_NOT_PERMITTED,
        CONDITION_OVERRIDDEN,
        CONDITION_BUSY,
        CONDITION_CONFLICT,
        CONDITION_RELOAD_FAILED, /* the change failed, and the host is as it was before */
        CONDITION_HOST_DEGRADED, /* the change failed, and the host is not as it was before */
        CONDITION_NO_SUCH_GUEST,
        CONDITION_TRANSIENT_GUEST,
        CONDITION_LIBVIRT_UNAVAILABLE,
        CONDITION_TIMED_OUT,
        CONDITION_LIMITS_EXCEEDED, /* a caller has too many calls, or a user too many questions to polkit, under way */
        CONDITION_ACCESS_DENIED,
        CONDITION_INTERACTIVE_AUTHORIZATION_REQUIRED,
        CONDITION_MAX
} Condition;

/* The GError domain of the core; the code is a Condition. */
#define CONDITION (condition_quark())
GQuark condition_quark(void);

/* "org.nestvirt1.Error.Busy", "org.freedesktop.DBus.Error.AccessDenied", … Never NULL. */
const char *condition_to_name(Condition condition);

/* The exit status of a client whose call ended in the D-Bus error @name; 1 for a name that is not
 * in the table. */
int condition_exit_status(const char *name);

/* Other people's word, for a message: at most a line of it, no control characters, ASCII alone. */
char *error_quote(const char *word);

/* The condition of @error if it is of our domain, else CONDITION_INTERNAL. */
Condition condition_of(const GError *error);

/* GLib's parsers repeat in their messages what they did not like, as it is; the bus and the log
 * take UTF-8 alone. @error and what it points to may be NULL. */
void error_make_valid(GError **error);

/* Sets @error in the domain G_FILE_ERROR: the text, and what errno @errnum (positive) means.
 * Returns false. */
bool error_set_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);
