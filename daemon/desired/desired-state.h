/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the folders of the desired state say at one moment: part of the snapshot of a host. */

#include "desired.h"
#include "root.h"

typedef struct DesiredState DesiredState;

/* Reads them. Never NULL. */
DesiredState *desired_state_read(const Root *root);
/* The same after an event, of which @before was known: a reference to that when nothing can have
 * changed (stamps.h). */
DesiredState *desired_state_read_since(const Root *root, DesiredState *before);
DesiredState *desired_state_ref(DesiredState *state);
void desired_state_unref(DesiredState *state);

/* What they say, and then @ret_error is NULL; or NULL, and @ret_error says why that can't be
 * known. Both stay the state's. */
const Desired *desired_state_get(const DesiredState *state, const char **ret_error);
