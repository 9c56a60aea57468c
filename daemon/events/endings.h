/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Waiting for processes to end, by their pidfds. It does not know what they do. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

typedef struct Endings Endings;

Endings *endings_new(sd_event *event);
/* Whoever still waits is dropped. */
void endings_free(Endings *endings);
/* Calls @done from the loop when all of the processes @pids (unsigned) have ended, or after @usec;
 * or, when it never comes to that, @drop. One that is gone already has ended. Without any it is a
 * timer. False, and neither is called, when it can't be waited. */
bool endings_wait(Endings *endings, const GArray *pids, uint64_t usec, void (*done)(gpointer userdata),
                  GDestroyNotify drop, gpointer userdata);
