/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals of the modules, held against what was pending when the change was answered. A daemon that
 * ends meanwhile takes nothing with it: it is started again, and goes on waiting. */

#include <errno.h>

#include "connection.h"
#include "error.h"
#include "inventory.h"
#include "loop.h"
#include "message.h"
#include "names.h"
#include "wait.h"

typedef struct End {
        char *outcome, *error; /* as signalled */
} End;

struct Wait {
        Client *client;
        sd_bus_slot *finished, *owner;
        GPtrArray *parameters; /* NULL or empty: all */
        GHashTable *open;      /* "module.name" of what still waits */
        GHashTable *ends;      /* "module.name" -> End*, the last that was signalled */
        bool gone;             /* the daemon has left the bus */
};

static void end_free(End *end) {
        g_free(end->outcome);
        g_free(end->error);
        g_free(end);
}

void wait_free(Wait *wait) {
        if (!wait)
                return;
        sd_bus_slot_unref(wait->finished);
        sd_bus_slot_unref(wait->owner);
        g_hash_table_unref(wait->open);
        g_hash_table_unref(wait->ends);
        g_free(wait);
}

static int on_finished(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Wait *wait = userdata;
        const char *path = sd_bus_message_get_path(signal), *outcome, *failure;
        g_autoptr(Value) parameters = NULL;

        if (!path || !g_str_has_prefix(path, PATH_MODULE_PREFIX "/") ||
            sd_bus_message_has_signature(signal, "a{ss}ss") <= 0 || message_read(signal, "a{ss}", &parameters) < 0 ||
            sd_bus_message_read(signal, "ss", &outcome, &failure) < 0)
                return 0;
        for (guint32 i = 0; i < value_length(parameters); i++) {
                char *key = g_strconcat(path + sizeof PATH_MODULE_PREFIX, ".", value_name(parameters, i), NULL);
                End *end = g_new(End, 1);
                *end = (End) {.outcome = g_strdup(outcome), .error = g_strdup(failure)};
                (void) g_hash_table_remove(wait->open, key);
                (void) g_hash_table_replace(wait->ends, key, end);
        }
        return 0;
}

static int on_owner_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Wait *wait = userdata;
        const char *name, *old, *new;

        if (sd_bus_message_read(signal, "sss", &name, &old, &new) >= 0 && !*new)
                wait->gone = true;
        return 0;
}

int wait_new(Client *client, Wait **ret, sd_bus_error *error) {
        g_autoptr(Wait) wait = g_new0(Wait, 1);
        int r;

        *wait = (Wait) {
                        .client = client,
                        .open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                        .ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) end_free),
        };
        r = sd_bus_match_signal(client->bus, &wait->finished, BUS_NAME, NULL, IFACE_MODULE, "ChangeFinished",
                                on_finished, wait);
        if (r >= 0)
                r = sd_bus_add_match(client->bus, &wait->owner, MATCH_OWNER_CHANGED, on_owner_changed, wait);
        if (r < 0)
                return connection_fail(client, r, error);
        *ret = g_steal_pointer(&wait);
        return 0;
}

static bool is_ours(const Wait *wait, const char *key) {
        return !wait->parameters || wait->parameters->len == 0 ||
               g_ptr_array_find_with_equal_func(wait->parameters, key, g_str_equal, NULL);
}

static void take_pending(Wait *wait, const Item *module) {
        const Value *pending = get_dictionary(module->properties, "Pending");

        for (guint32 i = 0; i < value_length(pending); i++) {
                g_autofree char *key = g_strconcat(module->name, ".", value_name(pending, i), NULL);
                if (is_ours(wait, key))
                        (void) g_hash_table_add(wait->open, g_steal_pointer(&key));
        }
}

/* Asking starts the daemon when it is not there; one that ends while it is asked is asked again. */
static int look(Wait *wait, sd_bus_error *error) {
        g_autoptr(Inventory) inventory = NULL;
        int r;

        wait->gone = false;
        r = inventory_fetch(wait->client, &inventory, error);
        if (r < 0 && sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY)) {
                sd_bus_error_free(error);
                r = inventory_fetch(wait->client, &inventory, error);
        }
        if (r < 0)
                return r;
        g_hash_table_remove_all(wait->open);
        for (unsigned i = 0; i < inventory->modules->len; i++)
                take_pending(wait, g_ptr_array_index(inventory->modules, i));
        return 0;
}

static bool is_over(void *userdata) {
        const Wait *wait = userdata;

        return wait->gone || g_hash_table_size(wait->open) == 0;
}

static int fail_end(const char *name, sd_bus_error *error) {
        const bool superseded = g_str_equal(name, condition_to_name(CONDITION_CONFLICT));

        return sd_bus_error_setf(
                        error, name, "%s",
                        superseded ? "what waited was replaced by something else meanwhile; what there is now: "
                                     "nestvirtctl show"
                                   : "what waited was tried and failed; how it came to that: journalctl -u "
                                     "nestvirtd");
}

/* The worst of what was signalled for our parameters. */
static int judge(const Wait *wait, char **ret, sd_bus_error *error) {
        const char *outcome = NULL;
        GHashTableIter iter;
        gpointer key, value;

        g_hash_table_iter_init(&iter, wait->ends);
        while (g_hash_table_iter_next(&iter, &key, &value)) {
                const End *end = value;
                if (!is_ours(wait, key))
                        continue;
                if (*end->error)
                        return fail_end(end->error, error);
                if (!outcome || !g_str_equal(end->outcome, "applied"))
                        outcome = end->outcome;
        }
        if (!outcome)
                return sd_bus_error_set(error, condition_to_name(CONDITION_INTERNAL),
                                        "nothing waits any longer, but how it ended was not told; what there is now: "
                                        "nestvirtctl show");
        *ret = g_strdup(outcome);
        return 0;
}

int wait_run(Wait *wait, GPtrArray *parameters, char **ret, sd_bus_error *error) {
        int r;

        /* What came before the answer to our change may be the end of another's, and is not to
         * close ours. */
        do
                r = sd_bus_process(wait->client->bus, NULL);
        while (r > 0);
        if (r < 0)
                return connection_fail(wait->client, r, error);
        wait->parameters = parameters;

        do {
                r = look(wait, error);
                if (r < 0)
                        return r;
                r = loop_run(wait->client, is_over, wait);
                if (r < 0)
                        return r == -EINTR ? r : connection_fail(wait->client, r, error);
        } while (wait->gone);
        return judge(wait, ret, error);
}
