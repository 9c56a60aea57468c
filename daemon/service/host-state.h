/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which snapshot of the host is the present one, and who is told when it is another. There is one
 * function that brings in news: start-up, methods, events and finished changes all end in it. */

#include <stdint.h>
#include <systemd/sd-event.h>

#include "host.h"
#include "loader.h"
#include "root.h"

/* host_state's host is a new one, or has a fault; the one before is gone. */
typedef void (*HostStateChanged)(gpointer userdata);

/* Nobody else writes into it. */
typedef struct HostState {
        Root *root;
        Loader *loader;
        Host *host; /* replaced whole by host_state_refresh(), never modified */
        sd_event *event;
        uint64_t refreshed; /* the loop's iteration of the last one */
        GArray *observers;
} HostState;

/* With a first snapshot. @loader stays the caller's. */
HostState *host_state_new(sd_event *event, Root *root, Loader *loader);
void host_state_free(HostState *state);

/* @changed is called after each refresh, in the order in which observers were added. */
void host_state_observe(HostState *state, HostStateChanged changed, gpointer userdata);
/* Reads the host again and tells the observers. It must not be called by one of them. */
void host_state_refresh(HostState *state);
/* The same, but once in an iteration of the loop: for many who are answered together. */
void host_state_refresh_once(HostState *state);
