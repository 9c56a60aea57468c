/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method call that is not answered at once: it keeps the message until its reply, and counts for
 * its sender's limit. Each call is ended exactly once, by one of the functions that take it
 * over. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* So many calls of one sender may be under way at a time. */
#define CALLS_MAX 16U

/* How many calls of each sender are under way. */
typedef struct Calls Calls;

typedef struct Call {
        Calls *calls;
        sd_bus_message *message;
} Call;

Calls *calls_new(void);
/* When none is under way any more. */
void calls_free(Calls *calls);

/* The trailing "t flags" of @message, which stays unread; false with InvalidArgs for bits that are
 * not in @allowed. */
bool call_read_flags(sd_bus_message *message, uint64_t allowed, uint64_t *ret, GError **error);
/* A call that is answered at once: fills @ret with the condition's name and its message, and
 * returns what a method handler has to return. */
int call_refuse(sd_bus_error *ret, const GError *error);

/* NULL and LimitsExceeded when the sender has too many. */
Call *call_new(Calls *calls, sd_bus_message *message, GError **error);
/* All three, for a call without arguments of its own before the flags: a negative errno, which the
 * handler has to return, when it is refused. @ret_flags may be NULL. */
int call_take(Calls *calls, sd_bus_message *message, uint64_t allowed, uint64_t *ret_flags, Call **ret,
              sd_bus_error *error);

/* Replies with what @fill appends to the message, within the bounds of bound.h; a negative errno of
 * its makes it an error. */
void call_reply_with(Call *call, int (*fill)(sd_bus_message *reply, gconstpointer data), gconstpointer data);
/* Replies with the members of the tuple @body (consumed when floating), as much as may be said of
 * it (bound.h), or with nothing when NULL. */
void call_reply(Call *call, GVariant *body);
void call_fail(Call *call, const GError *error);
/* No reply: the caller is gone, or the daemon ends. */
void call_drop(Call *call);
