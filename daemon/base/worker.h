/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A thread that does what can block: a queue in, an eventfd out. A job owns its input; its result
 * is handed back on the loop's thread, in the order in which they were done. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Worker Worker;

/* Runs on the worker's thread; must touch nothing but @job. */
typedef void (*WorkerRun)(gpointer job);
/* Runs on the loop's thread, from worker_dispatch(), and takes @job over. */
typedef void (*WorkerDone)(gpointer job, gpointer userdata);

Worker *worker_new(const char *name, GError **error);
/* Waits for the job under way; those not begun are dropped with @discard. */
void worker_free(Worker *worker);
/* The same, but carries out what has been submitted, and waits no longer than @usec: false when the
 * job under way goes on until the process ends. Then nothing that it may touch can be freed. */
bool worker_end(Worker *worker, uint64_t usec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Worker, worker_free)

/* For the daemon itself: before what anybody but uid 0 has asked for, in the order of
 * submission. */
void worker_submit(Worker *worker, WorkerRun run, WorkerDone done, GDestroyNotify discard, gpointer job,
                   gpointer userdata);
/* For that user, in turns with the others (fair-queue.h). */
void worker_submit_for(Worker *worker, uid_t uid, WorkerRun run, WorkerDone done, GDestroyNotify discard, gpointer job,
                       gpointer userdata);
/* Becomes readable when worker_dispatch() has something to do. */
int worker_fd(const Worker *worker);
/* No longer readable, until there is more to do. */
void worker_quiet(Worker *worker);
void worker_dispatch(Worker *worker);
