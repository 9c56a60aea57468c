/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The wait for idle. While something is pending, each event that may mean that KVM is free leads to
 * an attempt; nothing is polled. How it ended is told by what is pending no longer, whoever ended
 * it, and signalled as ChangeFinished. */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "host-state.h"
#include "operation-queue.h"
#include "readings.h"
#include "worker.h"

typedef struct Idle Idle;

/* What it works with; all of it stays the caller's. */
typedef struct IdleParts {
        sd_event *event;
        sd_bus *bus;
        HostState *state;
        OperationQueue *queue;
        Worker *changes; /* carries out changes of the host, one after the other */
        Readings *readings;
        uint64_t patience_usec; /* so long at most a look is put off; then only an event leads to one */
} IdleParts;

/* NULL when there is no memory for it. */
Idle *idle_new(const IdleParts *parts);
void idle_free(Idle *idle);

/* The snapshot is a new one. Signals what has ended, and begins or ends to wait. A
 * HostStateChanged. */
void idle_update(gpointer idle);
/* Something has happened after which KVM may be free: a VM is gone, a process is gone, the device
 * was closed. */
void idle_event(Idle *idle);

/* Forgets on the worker of changes what waits for @module (NULL: for any); what is configured
 * stays. @done gets the error or NULL. The caller has the turn. */
typedef void (*IdleDropped)(const GError *error, gpointer userdata);
void idle_drop(Idle *idle, const char *module, IdleDropped done, GDestroyNotify discard, gpointer userdata);
