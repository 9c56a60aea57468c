/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two lists of states, held against each other. What the second is in a dry run is foresight.c's to
 * tell. */

#include <string.h>

#include "alteration.h"
#include "foresight.h"

Alterations *alterations_begin(const Host *host, const Request *request, const Plan *plan, GError **error) {
        g_autoptr(Alterations) alterations = g_new0(Alterations, 1);

        alterations->before = parameter_states_new(host);
        if (request->flags & REQUEST_DRY_RUN && !plan->unchanged) {
                alterations->after = foresight_states(host, request, plan, error);
                if (!alterations->after)
                        return NULL;
        }
        return g_steal_pointer(&alterations);
}

void alterations_free(Alterations *alterations) {
        if (!alterations)
                return;
        g_ptr_array_unref(alterations->before);
        g_clear_pointer(&alterations->after, g_ptr_array_unref);
        g_free(alterations);
}

static char *key_of(const ParameterState *state) {
        return g_strconcat(state->module, ".", state->name, NULL);
}

static GHashTable *index_of(const GPtrArray *states) {
        GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (unsigned i = 0; i < states->len; i++) {
                ParameterState *state = g_ptr_array_index(states, i);
                (void) g_hash_table_insert(index, key_of(state), state);
        }
        return index;
}

static ParameterState *copy(const ParameterState *state) {
        ParameterState *same = g_new(ParameterState, 1);

        *same = (ParameterState) {
                        .module = state->module,
                        .name = state->name,
                        .configured = g_strdup(state->configured),
                        .effective = g_strdup(state->effective),
                        .pending = g_strdup(state->pending),
                        .source = g_strdup(state->source),
        };
        return same;
}

/* Either may be NULL, but not both: then nothing is said of the parameter there. */
static void hold(GPtrArray *changes, const ParameterState *before, const ParameterState *after) {
        const ParameterState *any = before ?: after;
        char nothing[] = "";
        const ParameterState none = {any->module, any->name, nothing, nothing, nothing, nothing};
        Alteration *one;

        if (parameter_state_same(before ?: &none, after ?: &none))
                return;
        one = g_new(Alteration, 1);
        *one = (Alteration) {.before = copy(before ?: &none), .after = copy(after ?: &none)};
        g_ptr_array_add(changes, one);
}

static void hold_all(GPtrArray *changes, const GPtrArray *before, const GPtrArray *after) {
        g_autoptr(GHashTable) then = index_of(before), now = index_of(after);

        for (unsigned i = 0; i < before->len; i++) {
                const ParameterState *state = g_ptr_array_index(before, i);
                g_autofree char *key = key_of(state);
                hold(changes, state, g_hash_table_lookup(now, key));
        }
        for (unsigned i = 0; i < after->len; i++) {
                const ParameterState *state = g_ptr_array_index(after, i);
                g_autofree char *key = key_of(state);
                if (!g_hash_table_contains(then, key))
                        hold(changes, NULL, state);
        }
}

/* Besides what parameters say: a file of ours reads otherwise, or modules are as new, which is what
 * a reload is asked for. */
static bool is_more(const Plan *plan, const ChangeResult *result) {
        return plan->files->len > 0 ||
               (plan->reload && plan_reloads(plan) && !g_str_equal(result->outcome, "deferred"));
}

void alterations_end(const Alterations *alterations, const Plan *plan, const Host *after, ChangeResult *result) {
        const bool looked = plan->flags & REQUEST_DRY_RUN;

        if (plan->unchanged)
                return;
        g_autoptr(GPtrArray) now = looked ? NULL : parameter_states_new(after);
        hold_all(result->changes, alterations->before, looked ? alterations->after : now);
        result->changed = result->changes->len > 0 || is_more(plan, result);
}
