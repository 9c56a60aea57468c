/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one parameter is at one moment, as far as a change can alter it: of effect.h what the bus
 * shows under the same names. */

#include <glib.h>
#include <stdbool.h>

#include "host.h"

typedef struct ParameterState {
        const char *module, *name; /* of the catalogue */
        char *configured, *effective, *pending, *source;
} ParameterState;

/* ParameterState*, in the order of the catalogue: every parameter that this kernel's modules have,
 * and what is configured of any other one. */
GPtrArray *parameter_states_new(const Host *host);
void parameter_state_free(ParameterState *state);
/* They say the same. A line that stands elsewhere in the same file is the same source. */
bool parameter_state_same(const ParameterState *one, const ParameterState *other);
