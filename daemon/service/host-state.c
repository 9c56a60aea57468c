/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The refresh. It knows no property and no signal, and compares nothing. */

#include <malloc.h>

#include "host-state.h"

typedef struct Observer {
        HostStateChanged changed;
        gpointer userdata;
} Observer;

HostState *host_state_new(sd_event *event, Root *root, Loader *loader) {
        HostState *state = g_new(HostState, 1);

        *state = (HostState) {
                        .root = root_ref(root),
                        .loader = loader,
                        .host = host_read(root, loader),
                        .event = sd_event_ref(event),
                        .observers = g_array_new(FALSE, FALSE, sizeof(Observer)),
        };
        return state;
}

void host_state_free(HostState *state) {
        if (!state)
                return;
        host_free(state->host);
        g_array_unref(state->observers);
        sd_event_unref(state->event);
        root_unref(state->root);
        g_free(state);
}

void host_state_observe(HostState *state, HostStateChanged changed, gpointer userdata) {
        const Observer observer = {.changed = changed, .userdata = userdata};

        g_array_append_val(state->observers, observer);
}

void host_state_refresh(HostState *state) {
        state->host = host_succeed(state->host, host_read(state->root, state->loader));
        for (unsigned i = 0; i < state->observers->len; i++) {
                const Observer *observer = &g_array_index(state->observers, Observer, i);
                observer->changed(observer->userdata);
        }
        (void) malloc_trim(0); /* reading takes ten times the memory of what was read */
        (void) sd_event_get_iteration(state->event, &state->refreshed);
}

void host_state_refresh_once(HostState *state) {
        uint64_t now = 0;

        if (sd_event_get_iteration(state->event, &now) < 0 || now != state->refreshed)
                host_state_refresh(state);
}
