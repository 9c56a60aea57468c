/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KVM's exits as they happen: the tracepoints kvm:kvm_exit and kvm:kvm_nested_vmexit of all CPUs,
 * as perf events. It takes root. As long as it is open, kvm can't be unloaded. */

#include <glib.h>
#include <systemd/sd-bus.h>

#include "tracepoint.h"

typedef struct Tracing Tracing;

/* NULL and @error: AccessDenied for who is not root, NotPermitted, Unsupported. It counts from here
 * on. */
Tracing *tracing_open(TracepointHit hit, void *userdata, sd_bus_error *error);
void tracing_close(Tracing *tracing);
/* Hands over what happens until @deadline (µs, monotonic); false when SIGINT or SIGTERM, which are
 * blocked, came before. */
bool tracing_gather(Tracing *tracing, gint64 deadline);
/* How many records were lost since this was last asked, as they came too fast. */
guint64 tracing_take_lost(Tracing *tracing);
