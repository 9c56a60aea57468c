/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A method call that is not answered at once: it keeps the message until its reply, and counts for
 * the limits of its sender and of its user. Each call is ended exactly once, by one of the
 * functions that take it over. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "caller.h"
#include "operation-queue.h"
#include "sender.h"

/* So many calls of one sender may be under way at a time, */
#define CALLS_MAX 16U
/* and so many of one user, from however many connections. */
#define CALLS_OF_USER_MAX 256U
/* One that keeps much until it is answered counts for so many. */
#define CALL_HEAVY 64U

/* How many calls are under way, of each sender and of each user. */
typedef struct Calls Calls;

/* The bus has said whose call it is, and there are not too many of theirs. */
typedef void (*CallAdmitted)(gpointer data);

typedef struct Call {
        Calls *calls;
        sd_bus_message *message;
        gint64 asked; /* when it came in: g_get_monotonic_time() */
        Sender *sender;
        unsigned weight; /* so many it counts for; set before it is admitted */
        bool admitted;   /* and counted for its user */
        GVariant *more;  /* of call_say_more(), or NULL */
        /* of call_admit(), as long as the bus is asked; @turns: of call_ask_turn() */
        CallAdmitted next;
        OperationQueue *turns;
        OperationBegin begin;
        GDestroyNotify drop;
        gpointer data;
} Call;

Calls *calls_new(void);
/* Whoever waits for call_admit() is dropped, as the loop has ended. */
void calls_close(Calls *calls);
/* When none is under way any more. */
void calls_free(Calls *calls);

/* InvalidArgs: sd-bus could not read the message, and said @r, a negative errno. Returns false. */
bool call_unreadable(int r, GError **error);
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

/* Goes on in @next, which may be at once, with the user known (call_uid()). @drop gets @data, which
 * has the call, when it does not come to that: the call is refused as there are too many of that
 * user, its sender has left, or the daemon ends. @drop is called from within this, too. */
void call_admit(Call *call, CallAdmitted next, GDestroyNotify drop, gpointer data);
/* The same, and then its user's turn (operation-queue.h): @begin is never called from within. */
void call_ask_turn(Call *call, OperationQueue *queue, OperationBegin begin, GDestroyNotify drop, gpointer data);
/* Whose it is, once it is admitted. */
uid_t call_uid(const Call *call);

/* The same, and the process; a copy. */
Caller call_caller(const Call *call);

/* Replies with the members of the tuple @body (consumed when floating), as much as may be said of
 * it (bound.h), or with nothing when NULL. */
void call_reply(Call *call, GVariant *body);
/* Replies with @reply, which is within the bounds of bound.h and is taken over, or, when @r is a
 * negative errno, with an error. */
void call_send(Call *call, sd_bus_message *reply, int r);
void call_fail(Call *call, const GError *error);
/* What an error that it ends in is to have after its message: the members of the tuple @more
 * (consumed when floating), as much as may be said of them. */
void call_say_more(Call *call, GVariant *more);
/* No reply: the caller is gone, or the daemon ends. */
void call_drop(Call *call);
