/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What came of one change of many guests, guest by guest, as it is told in the end: within the
 * bounds of bound.h while it grows, too. */

#include "guest-plan.h"

typedef struct GuestsResult GuestsResult;

GuestsResult *guests_result_new(void);
void guests_result_free(GuestsResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestsResult, guests_result_free)
/* @outcome is a constant: "applied", "planned" or "unchanged". */
void guests_result_add(GuestsResult *result, const char *outcome, const GuestPlan *plan, const GuestHost *host);
/* @name may be anything that somebody has called a guest. */
void guests_result_add_failure(GuestsResult *result, const char *name, const GError *error);
/* (a{sv}): Changed b, Failed u, Guests a{sa{sv}}, Outcome s; once. */
GVariant *guests_result_describe(const GuestsResult *result, bool dry_run);
