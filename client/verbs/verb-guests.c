/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl guests and guest: who can nest, who does, and why. */

#include "connection.h"
#include "guest-call.h"
#include "guest-text.h"
#include "inventory.h"
#include "verbs.h"

/* With a last entry for those of the @known ones that the daemon does not show. */
static GVariant *describe_guests(const GPtrArray *guests, guint64 known) {
        GVariantBuilder builder;

        if (known <= guests->len)
                return items_to_array(guests);
        g_variant_builder_init(&builder, G_VARIANT_TYPE("aa{sv}"));
        for (unsigned i = 0; i < guests->len; i++)
                g_variant_builder_add_value(&builder, ((const Item *) g_ptr_array_index(guests, i))->properties);
        g_variant_builder_add_parsed(&builder, "{'Omitted': <%u>}", (guint32) (known - guests->len));
        return g_variant_builder_end(&builder);
}

/* All that is known of them. They are listed before, so that what can change without an event is of
 * now, "there are none" is told from "it can't be known", and it is known how many are left out. */
static int print_objects(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *listed = NULL;
        g_autoptr(Inventory) inventory = NULL;
        guint64 known = 0;
        int r = guest_call_list(client, &listed, error);

        if (r < 0)
                return r;
        r = guest_text_count(listed, &known);
        if (r < 0)
                return connection_fail(client, r, error);
        r = inventory_fetch(client, &inventory, error);
        if (r < 0)
                return r;
        client_print_json_member(client, "guests", describe_guests(inventory->guests, known));
        return 0;
}

static int print_table(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *guests = NULL;
        int r = guest_call_list(client, &guests, error);

        if (r < 0)
                return r;
        r = guest_text_table(client->out, guests);
        return r < 0 ? connection_fail(client, r, error) : 0;
}

int verb_guests(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if ((client->json != JSON_OFF ? print_objects(client, &error) : print_table(client, &error)) < 0)
                return client_fail(client, "list the guests", &error);
        return 0;
}

static int fetch_guest(Client *client, const char *name, GVariant **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *read = NULL;
        g_autoptr(GVariant) path = NULL;
        int r;

        r = guest_call_find(client, name, &path, error);
        if (r < 0)
                return r;
        r = connection_prepare(client, g_variant_get_string(path, NULL), IFACE_PROPERTIES, "GetAll", &read, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(read, "s", IFACE_GUEST);
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, read, CALL_READ, "a{sv}", ret, error);
}

int verb_guest(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GVariant) guest = NULL;

        if (fetch_guest(client, words[0], &guest, &error) < 0) {
                g_autofree char *doing = g_strdup_printf("tell of the guest \"%s\"", words[0]);
                return client_fail(client, doing, &error);
        }
        if (client->json != JSON_OFF)
                client_print_json(client, guest);
        else
                guest_text_one(client->out, guest);
        return 0;
}
