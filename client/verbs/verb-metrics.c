/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl metrics: the state of the host as numbers, for those who watch many. What is free
 * text, or would make a series for each guest, is in none. */

#include "connection.h"
#include "guest-list.h"
#include "inventory.h"
#include "metrics.h"
#include "names.h"
#include "verbs.h"

#define DOING "read the metrics"
#define LABELS(...) ((const char *const[]) {__VA_ARGS__, NULL})

static void add_info(Metrics *metrics, const Value *manager) {
        guint64 level = 0;

        (void) get_number(manager, "Level", &level);
        metrics_begin(metrics, "nestvirt_info", "Version of nestvirtd, vendor of the CPU, level of virtualization.");
        metrics_add(metrics, 1,
                    LABELS("version", get_string(manager, "Version"), "vendor", get_string(manager, "Vendor"), "level",
                           level == 0 ? "0" : "1"));
}

static void add_nested(Metrics *metrics, const Value *manager) {
        static const char *const states[] = {"on", "off", "unavailable", NULL};
        const char *nested = get_string(manager, "Nested");

        metrics_begin(metrics, "nestvirt_nested_state", "Whether a guest started now can be a hypervisor.");
        for (unsigned i = 0; g_strv_contains(states, nested) && states[i]; i++)
                metrics_add(metrics, g_str_equal(states[i], nested), LABELS("state", states[i]));
}

/* A switch, as the daemon shows it in any of its ways; nothing of what is unknown or not set. */
static void add_switch(Metrics *metrics, const char *module, const char *name, const char *view, const char *value) {
        const bool on = g_str_equal(value, "on") || g_str_equal(value, "1");

        if (on || g_str_equal(value, "off") || g_str_equal(value, "0"))
                metrics_add(metrics, on, LABELS("module", module, "parameter", name, "view", view));
}

static void add_parameters(Metrics *metrics, const Inventory *inventory) {
        const Value *desired = get_dictionary(inventory->manager, "Desired");

        metrics_begin(metrics, "nestvirt_parameter_enabled",
                      "Whether a switch of KVM is on, as it is desired, "
                      "configured, and in effect.");
        for (unsigned m = 0; m < inventory->modules->len; m++) {
                const Item *module = g_ptr_array_index(inventory->modules, m);
                const Value *parameters = get_dictionary(module->properties, "Parameters");
                for (guint32 i = 0; i < value_length(parameters); i++) {
                        const char *name = value_name(parameters, i);
                        const Value *entry = value_at(parameters, i);
                        g_autofree char *whole = g_strconcat(module->name, ".", name, NULL);
                        if (!g_str_equal(get_string(entry, "Kind"), "bool"))
                                continue;
                        add_switch(metrics, module->name, name, "desired", get_string(desired, whole));
                        add_switch(metrics, module->name, name, "configured", get_string(entry, "Configured"));
                        add_switch(metrics, module->name, name, "effective", get_string(entry, "Effective"));
                }
        }
}

static void add_state(Metrics *metrics, const Inventory *inventory) {
        const bool wrong = *get_string(inventory->manager, "DesiredError");
        guint32 pending = 0;

        for (unsigned m = 0; m < inventory->modules->len; m++) {
                const Item *module = g_ptr_array_index(inventory->modules, m);
                pending += value_length(get_dictionary(module->properties, "Pending"));
        }
        metrics_begin(metrics, "nestvirt_pending", "Parameters that wait until nobody uses KVM.");
        metrics_add(metrics, pending, NULL);
        metrics_begin(metrics, "nestvirt_desired_error", "Whether the desired state can't be applied on this host.");
        metrics_add(metrics, wrong, NULL);
        metrics_begin(metrics, "nestvirt_drift", "Parameters that are not as desired.");
        if (!wrong)
                metrics_add(metrics, value_length(get_list(inventory->manager, "Drift")), NULL);
}

static void add_findings(Metrics *metrics, const Value *findings) {
        static const char *const statuses[] = {"pass", "info", "warn", "fail"};

        metrics_begin(metrics, "nestvirt_findings", "Findings of a check, by status.");
        for (gsize s = 0; s < G_N_ELEMENTS(statuses); s++) {
                unsigned n = 0;
                for (guint32 i = 0; i < value_length(findings); i++)
                        n += g_str_equal(get_string(value_at(findings, i), "Status"), statuses[s]);
                metrics_add(metrics, n, LABELS("status", statuses[s]));
        }
}

typedef struct GuestCounts {
        unsigned yes, no, fails, unknown;
} GuestCounts;

static void count_guest(const GuestRow *row, gpointer userdata) {
        GuestCounts *counts = userdata;

        counts->yes += g_str_equal(row->next_start, "yes");
        counts->no += g_str_equal(row->next_start, "no");
        counts->fails += g_str_equal(row->next_start, "fails");
        counts->unknown += g_str_equal(row->next_start, "unknown");
}

/* Without a libvirt, and where guests are hidden from who asks, there are no numbers of them. */
static void add_guests(Metrics *metrics, Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *guests = NULL;
        GuestCounts counts = {};
        guint64 omitted = 0;

        if (guest_list_ask(client, CALL_GLANCE, &guests, &error) < 0 ||
            guest_list_read(guests, count_guest, &counts, &omitted) < 0 || omitted > 0)
                return;
        metrics_begin(metrics, "nestvirt_guests", "Guests of libvirt, by whether they can nest when next started.");
        metrics_add(metrics, counts.yes, LABELS("next_start", "yes"));
        metrics_add(metrics, counts.no, LABELS("next_start", "no"));
        metrics_add(metrics, counts.fails, LABELS("next_start", "fails"));
        metrics_add(metrics, counts.unknown, LABELS("next_start", "unknown"));
}

/* Where /dev/kvm can't be asked, there is none. */
static void add_fingerprint(Metrics *metrics, Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) fingerprint = NULL;

        if (connection_call_flags(client, PATH_MANAGER, IFACE_MANAGER, "GetFingerprint", CALL_WAIT, 0, "a{sv}",
                                  &fingerprint, &error) < 0)
                return;
        metrics_begin(metrics, "nestvirt_fingerprint_info", "What KVM offers to guests that have guests.");
        metrics_add(metrics, 1, LABELS("sha256", get_string(fingerprint, "Sha256")));
}

static void print(const Client *client, const char *text) {
        g_autoptr(Value) result = value_new(VALUE_DICTIONARY);

        value_add_text(result, "Metrics", text);
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                output_raw(client->out, text);
}

int verb_metrics(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;
        g_autoptr(Metrics) metrics = metrics_new();
        g_autoptr(Value) findings = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0 ||
            connection_call_flags(client, PATH_MANAGER, IFACE_MANAGER, "Check", CALL_WAIT, 0, "aa{sv}", &findings,
                                  &error) < 0)
                return client_fail(client, DOING, &error);
        add_info(metrics, inventory->manager);
        add_nested(metrics, inventory->manager);
        add_parameters(metrics, inventory);
        add_state(metrics, inventory);
        add_findings(metrics, findings);
        add_guests(metrics, client);
        add_fingerprint(metrics, client);
        print(client, metrics_text(metrics));
        return 0;
}
