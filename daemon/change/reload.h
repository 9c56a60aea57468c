/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The middle of a change: modules out, modules in, values written, and the read-back that alone
 * proves it; forwards and backwards. It writes no file but those of sysfs. */

#include <glib.h>
#include <stdbool.h>

#include "loader.h"
#include "plan.h"
#include "root.h"

typedef struct Reload {
        const Plan *plan;
        const Root *root;
        Loader *loader;
        GPtrArray *steps; /* char*: what was done is added in words */
        bool touched;     /* something was unloaded, loaded or written, or may have been */
        bool kvm_kept;    /* kvm was to be unloaded too if it would go, and was not */
} Reload;

typedef enum ReloadResult {
        RELOAD_DONE,
        RELOAD_BUSY,   /* somebody holds a module; everything is as it was */
        RELOAD_FAILED, /* reload_undo() is owed */
} ReloadResult;

ReloadResult reload_run(Reload *reload, GError **error);
/* Brings back the modules and values of before, unless they are so already; somebody who holds a
 * module for a moment is waited for. Fails when the read-back says that they are not. */
bool reload_undo(Reload *reload, GError **error);

/* Every module of the plan is live, and the values asked for read back as those of after the
 * change; or, before it: those that were loaded are, and all of their values that could be read are
 * what they were. ReloadFailed when it is not so; any other error when that can't be told. */
bool reload_verify(const Root *root, const Plan *plan, bool after, GError **error);
/* A value as sysfs has it, NULL when it is not there; false when that can't be told. */
bool reload_read(const Root *root, const PlanValue *value, char **ret, GError **error);
