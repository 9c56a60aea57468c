/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which snapshot of the host is the present one, and who is told when it is another. There is one
 * function that brings in news: start-up, methods, events and finished changes all end in it. */

#include <glib.h>
#include <stdbool.h>

#include "host.h"
#include "loader.h"
#include "root.h"

/* host_state's host is a new one, or has a fault; the one before is gone. */
typedef void (*HostStateChanged)(gpointer userdata);

/* Nobody else writes into it. */
typedef struct HostState {
        Root *root;
        Loader *loader;
        Host *host;       /* replaced whole by host_state_refresh(), never modified */
        gint64 refreshed; /* when the last reading of it was begun: g_get_monotonic_time() */
        GArray *observers;
        HostStateChanged begin; /* host_state_begin_with() */
        gpointer userdata;
} HostState;

/* With a first snapshot. @loader stays the caller's. */
HostState *host_state_new(Root *root, Loader *loader);
void host_state_free(HostState *state);

/* @changed is called after each refresh, in the order in which observers were added. */
void host_state_observe(HostState *state, HostStateChanged changed, gpointer userdata);
/* @begin is called before each reading. NULL: nothing is. */
void host_state_begin_with(HostState *state, HostStateChanged begin, gpointer userdata);
/* Reads the host again and tells the observers. It must not be called by one of them. */
void host_state_refresh(HostState *state);
/* The same after events, the last of which came in at @heard (g_get_monotonic_time()), without what
 * they can't have changed: host_read_since(). What was read since then is what they were about:
 * most of a change of ours. */
void host_state_refresh_news(HostState *state, gint64 heard, bool cpus);
/* The same for who has asked at @asked (g_get_monotonic_time()), unless the host was read since
 * then: one reading serves all who wait. */
void host_state_refresh_since(HostState *state, gint64 asked);
