/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transaction: carries a plan out, reads back, and commits or puts everything back as it was. It runs on a worker and may block.
 * The files become visible only after the new values have been proven by reading them back. */

#include <glib.h>
#include <stdbool.h>

#include "loader.h"
#include "plan.h"
#include "root.h"

typedef struct ChangeResult {
        const char *outcome; /* "unchanged" "applied" "configured" "deferred" "planned"; NULL on failure */
        GPtrArray *steps;    /* char*, what was done, in words */
        GPtrArray *impact;   /* Impact* */
        GHashTable *values; /* parameter, or module.parameter when two modules are concerned -> value read back, as sysfs prints it */
        GError *error; /* Busy, ReloadFailed, HostDegraded, NotPermitted, Conflict, or internal */
} ChangeResult;

/* Carries @plan out, once (REQUEST_DRY_RUN: tells only what it would do, with the holders as impact). Never NULL. */
ChangeResult *change_run(Plan *plan, const Root *root, Loader *loader);
void change_result_free(ChangeResult *result);
/* Empty; for recover.c. */
ChangeResult *change_result_new(void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChangeResult, change_result_free)

/* The holders of the module that stand in the way of @plan, as Impact of kind "blocks". Scans /proc. */
GPtrArray *change_blockers(const Root *root);
/* Busy: who they are, and the ways on. Scans /proc, too. */
GError *change_busy(const Plan *plan, const Root *root);
