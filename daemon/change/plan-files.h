/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of a plan (PlanFile*) on disk: staged, made visible, or put back. It knows nothing of
 * modules. */

#include <glib.h>
#include <stdbool.h>

#include "plan.h"
#include "root.h"

/* False (Conflict) when one is not as it was when the plan was made. */
bool plan_files_unchanged(const GPtrArray *files, const Root *root, GError **error);
bool plan_files_stage(const GPtrArray *files, const Root *root, GError **error);
bool plan_files_discard(const GPtrArray *files, const Root *root, GError **error);
/* Adds to @steps (char*, or NULL) what was done, in words. Can be repeated. */
bool plan_files_publish(const GPtrArray *files, const Root *root, GPtrArray *steps, GError **error);
/* The journal says "proven": those of modprobe.d, then our own records. Adds to @steps (char*). Can
 * be cut short and repeated. */
bool plan_files_finish(const Plan *plan, const Root *root, GPtrArray *steps, GError **error);
/* After another boot, of a change that was proven: where the files have become the new ones, our
 * own records, which come after them, do so, too. Can be repeated. */
bool plan_files_follow(const Plan *plan, const Root *root, GError **error);
/* The texts of before, wherever publishing stopped. What somebody else has written meanwhile stays.
 * One that fails keeps none of the others from being tried; the error is the first one's. */
bool plan_files_restore(const GPtrArray *files, const Root *root, GPtrArray *steps, GError **error);
/* The text of a file, NULL when there is none. False when it can't be read. */
bool plan_files_read(const Root *root, const char *path, char **ret, GError **error);
