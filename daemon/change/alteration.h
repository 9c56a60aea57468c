/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a change alters, parameter by parameter: as it is before, and as it is, or would be, after.
 * For one that is only looked at, foresight.h tells the latter. Pure. */

#include <glib.h>

#include "change-result.h"
#include "host.h"
#include "plan.h"

/* From the snapshot that a plan was made of, to the end of its change. */
typedef struct Alterations {
        GPtrArray *before; /* ParameterState* */
        GPtrArray *after;  /* the same, foreseen; NULL: it is carried out, and what comes of it is read */
} Alterations;

/* @plan was made of @host for @request. Where that is a dry run, @plan is looked into as well:
 * NULL and Internal when modprobe.d can't be read. */
Alterations *alterations_begin(const Host *host, const Request *request, const Plan *plan, GError **error);
void alterations_free(Alterations *alterations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Alterations, alterations_free)
/* Fills in the @result's changes, and whether there are any; @result has no error. @after: the
 * snapshot once it is over; for a dry run it says nothing. @alterations may be NULL when there was
 * nothing to do. */
void alterations_end(const Alterations *alterations, const Plan *plan, const Host *after, ChangeResult *result);
