/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The refresh. It knows no property and no signal, and compares nothing. */

#include <malloc.h>

#include "host-state.h"

typedef struct Observer {
        HostStateChanged changed;
        gpointer userdata;
} Observer;

HostState *host_state_new(Root *root, Loader *loader) {
        HostState *state = g_new(HostState, 1);

        *state = (HostState) {
                        .root = root_ref(root),
                        .loader = loader,
                        .host = host_read(root, loader),
                        .observers = g_array_new(FALSE, FALSE, sizeof(Observer)),
        };
        return state;
}

void host_state_free(HostState *state) {
        if (!state)
                return;
        host_free(state->host);
        g_array_unref(state->observers);
        root_unref(state->root);
        g_free(state);
}

void host_state_observe(HostState *state, HostStateChanged changed, gpointer userdata) {
        const Observer observer = {.changed = changed, .userdata = userdata};

        g_array_append_val(state->observers, observer);
}

void host_state_begin_with(HostState *state, HostStateChanged begin, gpointer userdata) {
        state->begin = begin;
        state->userdata = userdata;
}

static void refresh(HostState *state, const Host *before, bool cpus) {
        if (state->begin)
                state->begin(state->userdata);
        state->refreshed = g_get_monotonic_time();
        state->host = host_succeed(state->host, host_read_since(state->root, state->loader, before, cpus));
        for (unsigned i = 0; i < state->observers->len; i++) {
                const Observer *observer = &g_array_index(state->observers, Observer, i);
                observer->changed(observer->userdata);
        }
        (void) malloc_trim(0); /* reading takes ten times the memory of what was read */
}

void host_state_refresh(HostState *state) {
        refresh(state, NULL, true);
}

void host_state_refresh_news(HostState *state, gint64 heard, bool cpus) {
        if (state->refreshed <= heard || state->host->fault)
                refresh(state, state->host, cpus);
}

void host_state_refresh_since(HostState *state, gint64 asked) {
        if (state->refreshed <= asked)
                host_state_refresh(state);
}
