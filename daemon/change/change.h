/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transaction: carries a plan out, reads back, and commits or puts everything back as it was.
 * It runs on a worker and may block. The files become visible only after the new values have been
 * proven by reading them back. */

#include <glib.h>

#include "change-result.h"
#include "loader.h"
#include "passing.h"
#include "plan.h"
#include "root.h"
#include "users.h"

/* Carries @plan out, once. Never NULL. */
ChangeResult *change_run(Plan *plan, const Root *root, Loader *loader);
/* What it would do, with those who hold KVM (users.h; NULL: nobody) as impact of kind "blocks"; or
 * that there is nothing to do. It changes nothing. */
ChangeResult *change_preview(Plan *plan, const Root *root, const Users *users, const Passing *passing);
/* Busy: who is in the way (users.h), and the ways on. */
GError *change_busy(const Plan *plan, const Users *users);
