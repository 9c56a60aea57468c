/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The wait for idle. While something is pending, each event that may mean that KVM is free leads to
 * an attempt; nothing is polled. How it ended is told by what is pending no longer, whoever ended
 * it, and signalled as ChangeFinished. */

#include "daemon.h"

Idle *idle_new(Daemon *daemon);
void idle_free(Idle *idle);

/* The snapshot is a new one. Signals what has ended, and begins or ends to wait. For
 * daemon_refresh() alone. */
void idle_update(Idle *idle);
/* Something has happened after which KVM may be free: a VM is gone, a process is gone, the device
 * was closed. */
void idle_event(Idle *idle);

/* Forgets on the worker of changes what waits for @module (NULL: for any); what is configured
 * stays. @done gets the error or NULL. The caller has the turn. */
typedef void (*IdleDropped)(const GError *error, gpointer userdata);
void idle_drop(Daemon *daemon, const char *module, IdleDropped done, GDestroyNotify discard, gpointer userdata);
