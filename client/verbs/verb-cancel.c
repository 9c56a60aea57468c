/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl cancel: nothing waits for idle any longer. What was configured stays, so it answers
 * like a change that is kept but not in effect. */

#include "change-result.h"
#include "connection.h"
#include "inventory.h"
#include "names.h"
#include "verbs.h"

static bool has_pending(const Item *module) {
        const Value *pending = get_dictionary(module->properties, "Pending");

        return value_length(pending) > 0;
}

static void add_steps(GPtrArray *steps, const Item *module) {
        const Value *pending = get_dictionary(module->properties, "Pending");

        for (guint32 i = 0; i < value_length(pending); i++)
                g_ptr_array_add(steps, g_strdup_printf("%s.%s=%s no longer waits; it comes with the next load",
                                                       module->name, value_name(pending, i), value_text(pending, i)));
}

static Value *result_new(const GPtrArray *steps) {
        Value *result = value_new(VALUE_DICTIONARY);

        value_add_text(result, "Outcome", steps->len > 0 ? "configured" : "unchanged");
        value_take_texts(result, "Steps", steps);
        value_take(result, "Impact", value_new(VALUE_LIST));
        value_take(result, "Values", value_new_named());
        return result;
}

int verb_cancel(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(Inventory) inventory = NULL;
        g_autoptr(Value) result = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "cancel what waits", &error);
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *module = g_ptr_array_index(inventory->modules, i);
                if (!has_pending(module))
                        continue;
                if (connection_call_flags(client, module->path, IFACE_MODULE, "CancelPending", CALL_CHANGE, 0, NULL,
                                          NULL, &error) < 0)
                        return client_fail(client, "cancel what waits", &error);
                add_steps(steps, module);
        }
        if (steps->len == 0 && client->json == JSON_OFF) {
                output_text(client->out, STYLE_PLAIN, "Nothing waits.");
                output_newline(client->out);
                return 0;
        }
        result = result_new(steps);
        change_print(client, result);
        return 0;
}
