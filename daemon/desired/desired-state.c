/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A reading that is kept, and by what it is known to be still right. */

#include "desired-folders.h"
#include "desired-state.h"
#include "error.h"
#include "stamps.h"

struct DesiredState {
        unsigned references; /* the loop's alone */
        Desired *desired;    /* NULL: it can't be understood, */
        char *error;         /* and why */
        Stamps *stamps;
};

DesiredState *desired_state_read(const Root *root) {
        DesiredState *state = g_new0(DesiredState, 1);
        g_autoptr(GError) error = NULL;

        state->references = 1;
        state->stamps = stamps_new();
        state->desired = desired_read(root, state->stamps, &error);
        if (error) {
                error_make_valid(&error);
                state->error = g_strdup(error->message);
        }
        return state;
}

DesiredState *desired_state_read_since(const Root *root, DesiredState *before) {
        return stamps_hold(before->stamps, root) ? desired_state_ref(before) : desired_state_read(root);
}

DesiredState *desired_state_ref(DesiredState *state) {
        state->references++;
        return state;
}

void desired_state_unref(DesiredState *state) {
        if (!state || --state->references > 0)
                return;
        g_clear_pointer(&state->desired, desired_free);
        g_free(state->error);
        stamps_free(state->stamps);
        g_free(state);
}

const Desired *desired_state_get(const DesiredState *state, const char **ret_error) {
        *ret_error = state->error;
        return state->desired;
}
