/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl cancel: nothing waits for idle any longer. What was configured stays, so it answers
 * like a change that is kept but not in effect. */

#include "change-result.h"
#include "connection.h"
#include "inventory.h"
#include "names.h"
#include "verbs.h"

static bool has_pending(const Item *module) {
        g_autoptr(GVariant) pending = get_container(module->properties, "Pending", "a{ss}");

        return g_variant_n_children(pending) > 0;
}

static void add_steps(GVariantBuilder *steps, const Item *module) {
        g_autoptr(GVariant) pending = get_container(module->properties, "Pending", "a{ss}");
        GVariantIter iter;
        const char *name, *value;

        g_variant_iter_init(&iter, pending);
        while (g_variant_iter_next(&iter, "{&s&s}", &name, &value)) {
                g_autofree char *step = g_strdup_printf("%s.%s=%s no longer waits; it comes with the next load",
                                                        module->name, name, value);
                g_variant_builder_add(steps, "s", step);
        }
}

/* Floating. */
static GVariant *result_new(GVariant *steps, bool any) {
        GVariantBuilder builder;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&builder, "{sv}", "Outcome", g_variant_new_string(any ? "configured" : "unchanged"));
        g_variant_builder_add(&builder, "{sv}", "Steps", steps);
        g_variant_builder_add(&builder, "{sv}", "Impact", g_variant_new_array(G_VARIANT_TYPE_VARDICT, NULL, 0));
        g_variant_builder_add(&builder, "{sv}", "Values", g_variant_new_array(G_VARIANT_TYPE("{ss}"), NULL, 0));
        return g_variant_builder_end(&builder);
}

int verb_cancel(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_auto(GVariantBuilder) steps = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_STRING_ARRAY);
        g_autoptr(Inventory) inventory = NULL;
        g_autoptr(GVariant) result = NULL;
        bool any = false;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "cancel what waits", &error);
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *module = g_ptr_array_index(inventory->modules, i);
                if (!has_pending(module))
                        continue;
                if (connection_call_flags(client, module->path, IFACE_MODULE, "CancelPending", CALL_CHANGE, 0, NULL,
                                          NULL, &error) < 0)
                        return client_fail(client, "cancel what waits", &error);
                add_steps(&steps, module);
                any = true;
        }
        if (!any && client->json == JSON_OFF) {
                output_text(client->out, STYLE_PLAIN, "Nothing waits.");
                output_newline(client->out);
                return 0;
        }
        result = g_variant_ref_sink(result_new(g_variant_builder_end(&steps), any));
        change_print(client, result);
        return 0;
}
