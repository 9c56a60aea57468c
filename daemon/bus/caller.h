/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who made a call, and whether they are still on the bus: nothing is done in the name of somebody
 * who has left. */

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct Presence Presence;

typedef struct Caller {
        char *sender; /* the unique name on the bus; NULL: the daemon itself, for what waited for idle */
        uid_t uid;
        pid_t pid;
        Presence *presence; /* once they are watched; shared by the copies */
} Caller;

typedef void (*CallerLeft)(void *userdata);

/* Reads the bus's answer to GetConnectionCredentials into it. A negative errno on failure. */
int caller_read(Caller *caller, sd_bus_message *reply);
/* Watches for the sender's leaving; @left is called when that happens. A negative errno on
 * failure. */
int caller_watch(Caller *caller, sd_bus *bus, CallerLeft left, void *userdata);
/* Of one that is watched: @left is called from now on. */
void caller_notify(const Caller *caller, CallerLeft left, void *userdata);
/* @left is not called any more; that they leave is still noticed as long as there is a copy. */
void caller_release(Caller *caller);
bool caller_is_gone(const Caller *caller);

/* A copy of its own; caller_clear() frees it. */
Caller caller_copy(const Caller *caller);
void caller_clear(Caller *caller);
