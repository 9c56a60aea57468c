/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl guests and guest: who can nest, who does, and why. */

#include "connection.h"
#include "guest-call.h"
#include "guest-list.h"
#include "guest-text.h"
#include "inventory.h"
#include "verbs.h"

static void count(const GuestRow *row, gpointer userdata) {
        guint64 *n = userdata;

        (*n)++;
}

/* All that is known of them. They are listed before, so that what can change without an event is of
 * now, "there are none" is told from "it can't be known", and it is known how many are left out. */
static int print_objects(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *listed = NULL;
        g_autoptr(Inventory) inventory = NULL;
        guint64 known = 0, omitted;
        int r = guest_list_ask(client, CALL_WAIT, &listed, error);

        if (r < 0)
                return r;
        r = guest_list_read(listed, count, &known, &omitted);
        if (r < 0)
                return connection_fail(client, r, error);
        r = inventory_fetch_all(client, &inventory, error);
        if (r < 0)
                return r;
        g_autoptr(Value) guests = items_to_list(inventory->guests);
        if (known + omitted > inventory->guests->len) {
                /* What the daemon does not show, in a last entry. */
                Value *rest = value_new(VALUE_DICTIONARY);
                value_add_number(rest, "Omitted", known + omitted - inventory->guests->len);
                value_take(guests, NULL, rest);
        }
        client_print_json_member(client, "guests", guests);
        return 0;
}

static int print_table(Client *client, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *guests = NULL;
        int r = guest_list_ask(client, CALL_WAIT, &guests, error);

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

static int fetch_guest(Client *client, const char *name, Value **ret, sd_bus_error *error) {
        g_autofree char *path = NULL;
        int r = guest_call_find(client, name, &path, error);

        return r < 0 ? r : connection_get_all(client, path, IFACE_GUEST, ret, error);
}

int verb_guest(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) guest = NULL;

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
