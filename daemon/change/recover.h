/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon does at its start with a change that a kill or a power cut has cut short. It may
 * block. */

#include "change-result.h"
#include "loader.h"
#include "root.h"

/* Undoes a change that was not proven, finishes one that was; after another boot the modules are
 * what the boot made them, and only the files are looked after. NULL when there was no such change;
 * else what was found and done (steps), with HostDegraded when it could not, and Internal when it
 * can't be told whether there was one; the outcome is "unchanged" when nothing but the record of it
 * had to go. */
ChangeResult *recover_run(const Root *root, Loader *loader);
