/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A worker whose results come back on an event loop, later than what the bus has brought
 * (later.h). */

#include <systemd/sd-event.h>

#include "worker.h"

/* A negative errno on failure, which the journal is told. @ret_source goes before the worker. */
int worker_source_add(sd_event *event, const char *name, Worker **ret, sd_event_source **ret_source);
