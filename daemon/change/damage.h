/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A journal that is damaged: what was under way is not known, so nothing of it is undone or
 * finished. It is kept beside its place, KVM is loaded if it is not, and changes are refused until
 * one that leaves nothing to guess has succeeded. */

#include <glib.h>
#include <stdbool.h>

#include "loader.h"
#include "plan.h"
#include "root.h"

/* Puts the journal aside and loads KVM with what modprobe.d says when it is not loaded; @steps
 * (char*) gets what was done, in words. @why: what is wrong with it. Always HostDegraded. */
GError *damage_found(const Root *root, Loader *loader, const char *why, GPtrArray *steps);
/* False with HostDegraded when there is such a journal, with Internal when that can't be told, and
 * @plan does not settle it; for what waits for idle both are Busy. */
bool damage_allows(const Root *root, const Plan *plan, GError **error);
/* @plan has succeeded: when it settles the matter, all is known again. */
bool damage_settle(const Root *root, const Plan *plan, GError **error);
