/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a change came to: one that was carried out (change.c), one that was only looked at, or one
 * that had been cut short (recover.c). */

#include <glib.h>
#include <stdbool.h>

#include "parameter-state.h"
#include "users.h"

/* Of one parameter. */
typedef struct Alteration {
        ParameterState *before, *after;
} Alteration;

typedef struct ChangeResult {
        const char *outcome; /* "unchanged" "applied" "configured" "deferred" "planned"; NULL on failure */
        GPtrArray *steps;    /* char*, what was done, or would be, in words */
        GPtrArray *notes;    /* char*, what else there is to say of it: no steps */
        GPtrArray *changes;  /* Alteration*: what is otherwise afterwards (alteration.h) */
        bool changed;        /* something is, be it a file of ours, or modules that were to be loaded anew */
        GPtrArray *impact;   /* Impact* (plan.h) */
        Users *holders;      /* of KVM, when it was Busy; else NULL */
        unsigned omitted;    /* so many more hold KVM, and are not told in it */
        bool perhaps_more;   /* nor are those that nobody looked at */
        /* parameter, or module.parameter when two modules are concerned -> value read back, as
         * sysfs prints it */
        GHashTable *values;
        GError *error; /* Busy, ReloadFailed, HostDegraded, NotPermitted, Conflict, or internal */
} ChangeResult;

/* Empty: nothing done, and no outcome. */
ChangeResult *change_result_new(void);
void change_result_free(ChangeResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChangeResult, change_result_free)
