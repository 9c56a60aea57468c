/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A reading of the host that was void is made again, ever later, until one is not. */

#include <systemd/sd-event.h>

#include "host-state.h"

typedef struct HostRetry HostRetry;

/* @again has the host read anew, as any news does. NULL with @ret_error. @state stays the
 * caller's. */
typedef void (*HostRetryAgain)(gpointer userdata);
HostRetry *host_retry_new(sd_event *event, const HostState *state, HostRetryAgain again, gpointer userdata,
                          int *ret_error);
void host_retry_free(HostRetry *retry);
/* The host was read: a HostStateChanged. */
void host_retry_update(gpointer retry);
