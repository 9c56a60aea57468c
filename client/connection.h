/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bus, or where a tree of files is looked at the daemon without one: connecting and calling.
 * Every failure comes as a D-Bus error, also those of this end; who prints it is the caller. */

#include "client.h"
#include "names.h"

/* A match for the daemon coming and going. */
#define MATCH_OWNER_CHANGED                                                                                          \
        "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',interface='org.freedesktop.DBus'," \
        "member='NameOwnerChanged',arg0='" BUS_NAME "'"

typedef enum CallKind {
        CALL_READ,
        CALL_GLANCE, /* better no answer than a late one */
        CALL_WAIT,   /* it may have to wait for the end of a change, or for a child that opens /dev/kvm */
        CALL_CHANGE, /* polkit may have to ask, and it takes as long as it takes */
} CallKind;

/* A new method call to the daemon, in @ret; connects when that has not been done. A negative errno
 * on failure. */
int connection_prepare(Client *client, const char *path, const char *interface, const char *member,
                       sd_bus_message **ret, sd_bus_error *error);
/* Sends the call and waits for its answer: one value of @type in @ret, or nothing when @type is
 * NULL. */
int connection_call(Client *client, sd_bus_message *call, CallKind kind, const char *type, Value **ret,
                    sd_bus_error *error);
/* The same, for an answer that is read as it came, in @ret. */
int connection_call_message(Client *client, sd_bus_message *call, CallKind kind, sd_bus_message **ret,
                            sd_bus_error *error);
/* Prepares and calls, for a method whose only argument is its flags. */
int connection_call_flags(Client *client, const char *path, const char *interface, const char *member, CallKind kind,
                          uint64_t flags, const char *type, Value **ret, sd_bus_error *error);
/* All properties of an interface. */
int connection_get_all(Client *client, const char *path, const char *interface, Value **ret, sd_bus_error *error);
/* Fills @error with what @errnum means for the connection, if nothing is there yet; returns
 * @errnum, negative. */
int connection_fail(const Client *client, int errnum, sd_bus_error *error);
