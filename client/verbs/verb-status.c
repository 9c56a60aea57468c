/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl status: the host on one screen, from one round trip (a second one only to name who
 * uses KVM). */

#include "connection.h"
#include "error.h"
#include "guest-list.h"
#include "guest-text.h"
#include "inventory.h"
#include "names.h"
#include "paging.h"
#include "parameter.h"
#include "table.h"
#include "holders.h"
#include "verbs.h"

#define COLUMN 9U
#define DOING "read the status"

static bool has_feature(const Inventory *inventory, const char *feature) {
        return list_contains(get_list(inventory->manager, "Features"), feature);
}

/* One that is part of the kernel and could nest has failed to start, or nesting would not be
 * unavailable. */
static bool has_started(const Item *module, const char *state) {
        const Value *parameters = get_dictionary(module ? module->properties : NULL, "Parameters");
        const Value *nested = value_find(parameters, "nested");

        return g_str_equal(state, "live") || (g_str_equal(state, "builtin") && !nested);
}

/* The command is named when its plan says that it would do. */
static char *why_not_loaded(Client *client, const Item *module) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) plan = NULL;

        if (connection_call_flags(client, module->path, IFACE_MODULE, "Reload", CALL_WAIT, FLAG_DRY_RUN, "a{sv}", &plan,
                                  &error) < 0)
                return g_strdup_printf("%s is not loaded. %s", module->name, error.message);
        return g_strdup_printf("%s is not loaded; to load it: nestvirtctl reload", module->name);
}

/* Why no guest that is started now can nest, though nothing is switched off. */
static char *why_unavailable(Client *client, const Inventory *inventory) {
        const char *vendor = get_string(inventory->manager, "Vendor"),
                   *below = get_string(inventory->manager, "Hypervisor"),
                   *firmware = get_string(inventory->manager, "Firmware");
        const char *feature = g_str_equal(vendor, "intel") ? "vmx" : g_str_equal(vendor, "amd") ? "svm" : NULL;
        const Item *module = inventory_vendor_module(inventory);
        const char *state = module ? get_string(module->properties, "State") : "";

        if (has_started(module, state))
                return g_strdup_printf("%s, the KVM module in use, can't nest", module->name);
        if (!feature)
                return g_strdup("the CPU is neither Intel's nor AMD's");
        if (g_str_equal(firmware, "off"))
                return g_strdup_printf("the firmware%s has %s switched off; see nestvirtctl check",
                                       *below ? " of this virtual machine" : "", feature);
        if (!has_feature(inventory, feature))
                return *below ? g_strdup_printf("the hypervisor below (%s) does not offer %s to this machine", below,
                                                feature)
                              : g_strdup_printf(g_str_equal(firmware, "none") ? "the CPU has no %s"
                                                                              : "the kernel shows no %s of the CPU",
                                                feature);
        if (!module || g_str_equal(state, "missing"))
                return g_strdup_printf("there is no module %s for this kernel", module ? module->name : "of KVM");
        if (g_str_equal(state, "builtin"))
                return g_strdup_printf("%s, which is part of the kernel, did not start; see nestvirtctl check",
                                       module->name);
        return why_not_loaded(client, module);
}

static char *why_nested(Client *client, const Inventory *inventory) {
        const Item *module = inventory_vendor_module(inventory);
        const Value *parameters = get_dictionary(module ? module->properties : NULL, "Parameters");
        const Value *entry = value_find(parameters, "nested");
        const char *nested = get_string(inventory->manager, "Nested"),
                   *reason = get_string(inventory->manager, "NestedReason");

        if (*reason)
                return g_strdup(reason);
        if (g_str_equal(nested, "unavailable"))
                return why_unavailable(client, inventory);
        if (g_str_equal(nested, "unknown"))
                return g_strdup(entry && *get_string(entry, "Reason") ? get_string(entry, "Reason")
                                                                      : "it could not be read");
        return g_strdup_printf("%s.nested is %s", module ? module->name : "kvm", nested);
}

static void print_nested(Client *client, const Inventory *inventory) {
        const char *nested = get_string(inventory->manager, "Nested");
        g_autofree char *why = why_nested(client, inventory);
        const Style style = g_str_equal(nested, "on")    ? STYLE_GOOD
                            : g_str_equal(nested, "off") ? STYLE_WARN
                                                         : STYLE_BAD;

        output_pad(client->out, COLUMN - 6);
        output_text(client->out, STYLE_DIM, "Nested: ");
        output_text(client->out, style, nested);
        output_printf(client->out, STYLE_PLAIN, " (%s)", why);
        output_newline(client->out);
}

static void print_host(const Client *client, const Inventory *inventory) {
        const char *model = get_string(inventory->manager, "CpuModel"),
                   *below = get_string(inventory->manager, "Hypervisor");
        g_autofree char *host = NULL;
        guint64 level = 0;

        (void) get_number(inventory->manager, "Level", &level);
        if (level > 0)
                host = g_strdup_printf("%s, inside a virtual machine%s%s%s", *model ? model : "unknown CPU",
                                       *below ? " (" : "", below, *below ? ")" : "");
        else if (g_str_equal(below, "unknown"))
                host = g_strdup("unknown (it can't be told; see nestvirtctl check)");
        else
                host = g_strdup_printf("%s, on the hardware", *model ? model : "unknown CPU");
        output_field(client->out, COLUMN, "Host", STYLE_BOLD, host);
}

static void print_modules(const Client *client, const Inventory *inventory) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                const char *state = get_string(item->properties, "State");
                g_string_append_printf(text, "%s%s %s%s", i > 0 ? "; " : "", item->name, *state ? state : "unknown",
                                       get_boolean(item->properties, "InUse") ? ", in use" : "");
        }
        output_field(client->out, COLUMN, "Modules", STYLE_PLAIN, text->str);
}

static void print_pending(const Client *client, const Inventory *inventory) {
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                const Value *pending = get_dictionary(item->properties, "Pending");
                for (guint32 j = 0; j < value_length(pending); j++) {
                        g_autofree char *text =
                                        g_strdup_printf("%s.%s=%s waits until nobody uses KVM (nestvirtctl "
                                                        "cancel drops it)",
                                                        item->name, value_name(pending, j), value_text(pending, j));
                        output_field(client->out, COLUMN, "Pending", STYLE_WARN, text);
                }
        }
}

/* The last proof, when there is one. */
static void print_probe(const Client *client, const Inventory *inventory) {
        const Value *probe = get_dictionary(inventory->manager, "ProbeResult");
        const char *result = get_string(probe, "Result");

        if (!*result)
                return;
        g_autofree char *text = g_strdup_printf(
                        "%s%s", result,
                        get_boolean(probe, "Stale") ? ", before KVM was loaded anew (nestvirtctl probe tries again)"
                                                    : "");
        output_field(client->out, COLUMN, "Probed", STYLE_PLAIN, text);
}

static void print_paging_and_device(const Client *client, const Inventory *inventory) {
        const char *mmu = get_string(inventory->manager, "Mmu"), *device = get_string(inventory->manager, "Device");
        const char *paging = paging_of_host(mmu, get_string(inventory->manager, "Vendor"));
        g_autofree char *node = g_strconcat("/dev/kvm ", *device ? device : "unknown", NULL);

        output_field(client->out, COLUMN, "Paging", STYLE_PLAIN, paging);
        output_field(client->out, COLUMN, "Device", g_str_equal(device, "ok") ? STYLE_PLAIN : STYLE_BAD, node);
        print_probe(client, inventory);
}

static void add_parameters(Table *table, const Item *item, bool prefixed) {
        const Value *parameters = get_dictionary(item->properties, "Parameters");

        for (guint32 i = 0; i < value_length(parameters); i++) {
                const char *name = value_name(parameters, i);
                const Value *entry = value_at(parameters, i);
                if (!parameter_matters(entry, name))
                        continue;
                g_autofree char *shown = g_strconcat(prefixed ? item->name : "", prefixed ? "." : "", name, NULL);
                g_autofree char *configured = parameter_configured(entry);
                const char *const cells[] = {shown, get_string(entry, "Effective"), configured,
                                             get_string(entry, "Source")};
                table_add(table, STYLE_BOLD, cells, get_string(entry, "Reason"));
        }
}

static void print_parameters(const Client *client, const Inventory *inventory) {
        static const char *const headings[] = {"PARAMETER", "EFFECTIVE", "CONFIGURED", "SOURCE", NULL};
        g_autoptr(Table) table = table_new(headings);

        for (unsigned i = 0; i < inventory->modules->len; i++)
                add_parameters(table, g_ptr_array_index(inventory->modules, i), i > 0);
        if (table_is_empty(table))
                return;
        output_newline(client->out);
        table_print(table, client->out);
}

static bool is_in_use(const Inventory *inventory) {
        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                if (get_boolean(item->properties, "InUse"))
                        return true;
        }
        return false;
}

/* Who it is can't be told when the daemon does not say; that someone is there has been told. */
static void print_users(Client *client, const Inventory *inventory) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) users = NULL;
        guint32 omitted;

        if (!is_in_use(inventory) || holders_fetch(client, inventory, &users, &error) < 0)
                return;
        for (guint32 i = 0; i < value_length(users); i++) {
                const Value *user = value_at(users, i);
                g_autofree char *text = get_omitted(user, &omitted) ? holders_describe_rest(users, i > 0)
                                                                    : holder_describe(user);
                output_field(client->out, COLUMN, i == 0 ? "Users" : "", STYLE_PLAIN, text);
        }
}

/* Where there is no libvirt, or guests are not for everybody, there is nothing to say. */
static void print_guests(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *guests = NULL;
        g_autofree char *text = NULL;
        int r = guest_list_ask(client, CALL_GLANCE, &guests, &error);

        if (r >= 0)
                r = guest_text_summary(guests, &text);
        if (r >= 0)
                output_field(client->out, COLUMN, "Guests", STYLE_PLAIN, text);
        else if (sd_bus_error_has_names(&error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
                                        condition_to_name(CONDITION_TIMED_OUT)))
                output_field(client->out, COLUMN, "Guests", STYLE_WARN, "not known: libvirt does not answer");
}

static void print_json(const Client *client, const Inventory *inventory) {
        g_autoptr(Value) whole = value_new(VALUE_DICTIONARY);

        value_add_all(whole, inventory->manager);
        value_take(whole, "modules", items_to_list(inventory->modules));
        value_take(whole, "guests", items_to_list(inventory->guests));
        client_print_json(client, whole);
}

/* All that a script asks. */
static int answer_quietly(Client *client, sd_bus_error *error) {
        g_autoptr(Value) manager = NULL;

        if (connection_get_all(client, PATH_MANAGER, IFACE_MANAGER, &manager, error) < 0)
                return client_fail(client, DOING, error);
        return g_str_equal(get_string(manager, "Nested"), "on") ? 0 : EXIT_NO;
}

int verb_status(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;

        if (client->quiet)
                return answer_quietly(client, &error);
        /* For programs all that is known of each guest; for people they are counted. */
        if ((client->json != JSON_OFF ? inventory_fetch_all : inventory_fetch)(client, &inventory, &error) < 0)
                return client_fail(client, DOING, &error);
        if (client->json != JSON_OFF) {
                print_json(client, inventory);
                return 0;
        }
        print_host(client, inventory);
        print_nested(client, inventory);
        print_paging_and_device(client, inventory);
        print_modules(client, inventory);
        print_users(client, inventory);
        print_guests(client);
        print_pending(client, inventory);
        print_parameters(client, inventory);
        return 0;
}
