/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of a plan on disk: staged, made visible, or put back. It knows nothing of modules. */

#include <glib.h>
#include <stdbool.h>

#include "plan.h"
#include "root.h"

/* False (Conflict) when one is not as it was when the plan was made. */
bool plan_files_unchanged(const Plan *plan, const Root *root, GError **error);
bool plan_files_stage(const Plan *plan, const Root *root, GError **error);
bool plan_files_discard(const Plan *plan, const Root *root, GError **error);
/* Adds to @steps (char*) what was done, in words. Can be repeated. */
bool plan_files_publish(const Plan *plan, const Root *root, GPtrArray *steps, GError **error);
/* The texts of before, wherever publishing stopped. */
bool plan_files_restore(const Plan *plan, const Root *root, GError **error);
/* One file back to @text, or away when that is NULL. */
bool plan_files_put(const Root *root, const char *path, const char *text, GError **error);
