/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl labels: the state of the host in the few words by which a cluster's scheduler chooses
 * among nodes, as a feature file of Kubernetes' Node Feature Discovery. What is not known has no
 * label. */

#include <string.h>

#include "connection.h"
#include "inventory.h"
#include "names.h"
#include "verbs.h"

/* Of a label's value (Kubernetes, Labels and Selectors): so long, of these, and a letter or a digit
 * at either end. */
#define VALUE_MAX 63
#define VALUE_OF G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-"
/* Of the checksum: as many as name it among all hosts there are. */
#define CHECKSUM_LENGTH 32

static bool is_value(const char *text) {
        const gsize length = strlen(text);

        return length > 0 && length <= VALUE_MAX && strspn(text, VALUE_OF) == length && g_ascii_isalnum(text[0]) &&
               g_ascii_isalnum(text[length - 1]);
}

static void add(GString *text, const char *name, const char *value) {
        if (is_value(value))
                g_string_append_printf(text, "nestvirt.org/%s=%s\n", name, value);
}

static void add_state(GString *text, const Value *manager) {
        const char *nested = get_string(manager, "Nested");

        if (!g_str_equal(nested, "unknown"))
                add(text, "nested", nested);
        add(text, "paging", get_string(manager, "Mmu"));
        if (!*get_string(manager, "DesiredError"))
                add(text, "drift", value_length(get_list(manager, "Drift")) > 0 ? "true" : "false");
}

/* Where /dev/kvm can't be asked, there is none. */
static void add_fingerprint(GString *text, Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) fingerprint = NULL;
        g_autofree char *checksum = NULL;

        if (connection_call_flags(client, PATH_MANAGER, IFACE_MANAGER, "GetFingerprint", CALL_WAIT, 0, "a{sv}",
                                  &fingerprint, &error) < 0)
                return;
        checksum = g_strndup(get_string(fingerprint, "Sha256"), CHECKSUM_LENGTH);
        add(text, "fingerprint", checksum);
}

int verb_labels(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GString) text = g_string_new("# Made by nestvirtctl labels\n");
        g_autoptr(Value) result = value_new(VALUE_DICTIONARY);
        g_autoptr(Inventory) inventory = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "read the labels", &error);
        add_state(text, inventory->manager);
        add_fingerprint(text, client);
        value_add_text(result, "Labels", text->str);
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                output_raw(client->out, text->str);
        return 0;
}
