/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who may touch the host next: one at a time, in the order of asking. Requests are judged against a
 * host at rest, changes are carried out one by one, and nothing opens /dev/kvm meanwhile. It knows
 * nothing of what is done in a turn. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct Turns Turns;

/* The host is at rest. True: the turn is kept until turns_end(), which must not be called before
 * this has returned. It takes @data over. */
typedef bool (*TurnBegin)(gpointer data);
typedef void (*TurnsAtRest)(gpointer userdata);

/* NULL when there is no memory for it. */
Turns *turns_new(sd_event *event);
/* Those that wait are dropped. */
void turns_free(Turns *turns);

/* @begin is called at once when the host is at rest and nobody waits, else from the loop, one a
 * time. @drop gets @data when it never comes to that. */
void turns_ask(Turns *turns, TurnBegin begin, GDestroyNotify drop, gpointer data);
void turns_end(Turns *turns);
/* A turn is under way. */
bool turns_taken(const Turns *turns);

/* No turn begins any more; @at_rest is called when the one under way has ended, or at once. */
void turns_close(Turns *turns, TurnsAtRest at_rest, gpointer userdata);
