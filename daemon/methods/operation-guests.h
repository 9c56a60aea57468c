/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The path of a change of many guests' definitions. */

#include "guest-targets.h"
#include "guests-result.h"
#include "object.h"
#include "services.h"

typedef struct GuestsTask {
        /* Which of the guests (@names: name -> UUID) are to be changed, and how (guest-targets.h);
         * one that is not there may be a failure of @result. */
        void (*choose)(gpointer data, GHashTable *names, GPtrArray *targets, GuestsResult *result);
        /* Answers @call, which it takes over with @data; @result NULL: nothing was done. */
        void (*done)(Call *call, const GuestsResult *result, const GError *error, gpointer data);
        /* Nobody is there to be answered any more, or the daemon ends. */
        void (*drop)(gpointer data);
        gpointer data;
} GuestsTask;

/* They are looked at, chosen, and changed one after the other. @authorised NULL: polkit is asked
 * once there is something to be done; else that caller may. Takes @call over. */
void operation_guests_begin(const Object *object, Call *call, const GuestsTask *task, bool dry_run,
                            const Caller *authorised);
