/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method call that is not answered at once: it keeps the message until its reply, and counts for
 * its sender's limit. Each call is ended exactly once, by one of the functions that take it
 * over. */

#include "daemon.h"

/* So many calls of one sender may be under way at a time. */
#define CALLS_MAX 16U

typedef struct Call {
        Daemon *daemon;
        sd_bus_message *message;
} Call;

/* NULL and LimitsExceeded when the sender has too many. */
Call *call_new(Daemon *daemon, sd_bus_message *message, GError **error);

/* Replies with what @fill appends to the message; a negative errno of its makes it an error. */
void call_reply_with(Call *call, int (*fill)(sd_bus_message *reply, gconstpointer data), gconstpointer data);
/* Replies with the members of the tuple @body (consumed when floating), or with nothing when
 * NULL. */
void call_reply(Call *call, GVariant *body);
void call_fail(Call *call, const GError *error);
/* No reply: the caller is gone, or the daemon ends. */
void call_drop(Call *call);
