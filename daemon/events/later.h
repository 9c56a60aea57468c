/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done once the loop has nothing else to do: whatever the bus has brought is read first, so
 * that nobody's short question waits behind another one's long answer. Who sends without end must
 * not put it off for good, so that it is done after 50 ms at the latest. */

#include <glib.h>
#include <systemd/sd-event.h>

typedef struct Later Later;
typedef void (*LaterRun)(gpointer userdata);

/* NULL when there is no memory for it. */
Later *later_new(sd_event *event, LaterRun run, gpointer userdata);
void later_free(Later *later);
/* @run is called once, in another iteration of the loop, however often it is asked until then. */
void later_ask(Later *later);
void later_cancel(Later *later);
