/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* States of parameters, and whether two are the same. It judges nothing, effect-judge.c does. */

#include <string.h>

#include "catalog.h"
#include "effect-judge.h"
#include "option-value.h"
#include "parameter-state.h"

void parameter_state_free(ParameterState *state) {
        g_free(state->configured);
        g_free(state->effective);
        g_free(state->pending);
        g_free(state->source);
        g_free(state);
}

static ParameterState *state_of_effect(const Parameter *parameter, const Effect *effect) {
        ParameterState *state = g_new(ParameterState, 1);

        *state = (ParameterState) {
                        .module = parameter->module,
                        .name = parameter->name,
                        .configured = g_strdup(effect->configured),
                        .effective = g_strdup(effect->effective),
                        .pending = g_strdup(effect->pending),
                        .source = g_strdup(effect->source),
        };
        return state;
}

/* Of a module that this host has no use for, or whose file is not there. */
static ParameterState *state_of_option(const Host *host, const Parameter *parameter, const Option *winner) {
        ParameterState *state = g_new(ParameterState, 1);

        *state = (ParameterState) {
                        .module = parameter->module,
                        .name = parameter->name,
                        .configured = option_value_parse(host, parameter, winner) ?: g_strdup(winner->value),
                        .effective = g_strdup(""),
                        .pending = g_strdup(host_pending(host, parameter->module, parameter->name) ?: ""),
                        .source = option_source(winner),
        };
        return state;
}

GPtrArray *parameter_states_new(const Host *host) {
        GPtrArray *states = g_ptr_array_new_with_free_func((GDestroyNotify) parameter_state_free);

        for (unsigned i = 0; i < n_catalog; i++) {
                const Parameter *p = &catalog[i];
                /* Several rows of one name are one parameter: catalog_variant(). */
                if (catalog_find(p->module, p->name) != p)
                        continue;
                g_autoptr(Effect) effect = effect_new(host, p);
                const Option *winner = effect ? NULL : options_winner(host->options, p->module, p->name, NULL);
                if (effect)
                        g_ptr_array_add(states, state_of_effect(p, effect));
                else if (winner)
                        g_ptr_array_add(states, state_of_option(host, p, winner));
        }
        return states;
}

/* Without its line. */
static size_t file_length(const char *source) {
        const char *line = strrchr(source, ':');

        return line ? (size_t) (line - source) : strlen(source);
}

static bool is_same_file(const char *one, const char *other) {
        const size_t length = file_length(one);

        return length == file_length(other) && strncmp(one, other, length) == 0;
}

bool parameter_state_same(const ParameterState *one, const ParameterState *other) {
        return g_str_equal(one->configured, other->configured) && g_str_equal(one->effective, other->effective) &&
               g_str_equal(one->pending, other->pending) && is_same_file(one->source, other->source);
}
