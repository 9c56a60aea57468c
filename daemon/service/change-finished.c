/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two snapshots compared. In effect: "applied". Not in effect but what the next load gets:
 * "configured". Neither: somebody has asked for something else meanwhile, which is the error
 * Conflict. */

#include <string.h>

#include "bound.h"
#include "catalog.h"
#include "change-finished.h"
#include "cleanup.h"
#include "effect-judge.h"
#include "error.h"
#include "log.h"
#include "names.h"
#include "variant.h"

/* In the order of getting worse. */
typedef enum End {
        END_APPLIED,
        END_CONFIGURED,
        END_SUPERSEDED,
} End;

static End end_of(const Host *host, const char *module, const char *name, const char *value) {
        const Parameter *parameter = catalog_find(module, name);
        g_autoptr(Effect) effect = parameter ? effect_new(host, parameter) : NULL;
        g_autofree char *current = effect ? effect_current(effect) : NULL;

        if (!effect)
                return END_SUPERSEDED;
        if (g_strcmp0(current, value) == 0)
                return END_APPLIED;
        /* A default that nobody knows: no more can be told than that it is not set any more. */
        if (!*value)
                return *effect->configured ? END_SUPERSEDED : END_CONFIGURED;
        const char *next = *effect->configured ? effect->configured : effect->normal_default;
        return g_str_equal(next, value) ? END_CONFIGURED : END_SUPERSEDED;
}

static End end_of_all(const Host *host, const char *module, GHashTable *ended) {
        End end = END_APPLIED;
        GHashTableIter i;
        gpointer name, value;

        g_hash_table_iter_init(&i, ended);
        while (g_hash_table_iter_next(&i, &name, &value))
                end = MAX(end, end_of(host, module, name, value));
        return end;
}

static GVariant *describe_values(GHashTable *values) {
        GVariantBuilder builder;
        GHashTableIter i;
        gpointer name, value;

        g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
        g_hash_table_iter_init(&i, values);
        while (g_hash_table_iter_next(&i, &name, &value))
                g_variant_builder_add(&builder, "{@s@s}", variant_text(name), variant_text(value));
        return g_variant_builder_end(&builder);
}

/* What is known of how it ended goes before what can be seen; but nothing is in effect in a module
 * that is not there. */
static int signal_module(sd_bus *bus, const Host *host, const char *module, GHashTable *ended, const char *outcome,
                         const char *failure) {
        g_autofree char *path = g_strconcat(PATH_MODULE_PREFIX "/", module, NULL);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *signal = NULL;
        const Module *there = host_module(host, module);

        if (!there || !module_is_present(there))
                outcome = NULL;
        const End end = outcome || failure ? END_APPLIED : end_of_all(host, module, ended);

        if (end == END_SUPERSEDED)
                failure = condition_to_name(CONDITION_CONFLICT);
        if (failure)
                outcome = "";
        else if (!outcome)
                outcome = end == END_APPLIED ? "applied" : "configured";

        g_autoptr(GVariant) body =
                        bound_reply(g_variant_new("(@a{ss}ss)", describe_values(ended), outcome, failure ?: ""));
        int r = sd_bus_message_new_signal(bus, &signal, path, IFACE_MODULE, "ChangeFinished");
        if (r >= 0)
                r = variant_append_body(signal, body);
        return r < 0 ? r : sd_bus_send(bus, signal, NULL);
}

void change_finished_signal(sd_bus *bus, const Host *host, GHashTable *before, const char *outcome,
                            const char *failure) {
        GHashTableIter i, j;
        gpointer module, values, name, value;

        g_hash_table_iter_init(&i, before);
        while (g_hash_table_iter_next(&i, &module, &values)) {
                g_autoptr(GHashTable) ended = g_hash_table_new(g_str_hash, g_str_equal);
                g_hash_table_iter_init(&j, values);
                while (g_hash_table_iter_next(&j, &name, &value))
                        if (g_strcmp0(host_pending(host, module, name), value) != 0)
                                (void) g_hash_table_insert(ended, name, value);
                int r = g_hash_table_size(ended) > 0 ? signal_module(bus, host, module, ended, outcome, failure) : 0;
                if (r < 0)
                        log_error("Cannot signal the end of a change of %s: %s", (const char *) module, strerror(-r));
        }
}
