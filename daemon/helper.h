/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs nestvirt-device and waits, on the loop, for its exit status: as the unit nestvirt-device@VERB.service over systemd's bus, or as a
 * plain child. One at a time. It does not know what the verbs do. */

#include "daemon.h"

typedef struct Helper Helper;

/* @status: the exit status, or a negative errno when it did not come to one (@detail says more, or is NULL). */
typedef void (*HelperDone)(int status, const char *detail, gpointer userdata);

/* NULL when there is no memory for it. */
Helper *helper_new(Daemon *daemon);
/* One under way is forgotten, a plain child is killed; HelperDone is not called. */
void helper_free(Helper *helper);
/* @output: where a plain child's standard output goes, an absolute path, or NULL; a unit says so itself. */
void helper_run(Helper *helper, const char *verb, const char *output, HelperDone done, gpointer userdata);
