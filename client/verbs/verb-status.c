/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl status: the host on one screen, from one round trip (a second one only to name who
 * uses KVM). */

#include "connection.h"
#include "guest-text.h"
#include "inventory.h"
#include "names.h"
#include "paging.h"
#include "parameter.h"
#include "table.h"
#include "holders.h"
#include "verbs.h"

#define COLUMN 9U

static bool has_feature(const Inventory *inventory, const char *feature) {
        g_autoptr(GVariant) features = get_container(inventory->manager, "Features", "as");
        g_autofree const char **names = g_variant_get_strv(features, NULL);

        return g_strv_contains(names, feature);
}

/* One that is part of the kernel and could nest has failed to start, or nesting would not be
 * unavailable. */
static bool has_started(const Item *module, const char *state) {
        g_autoptr(GVariant) parameters = get_container(module ? module->properties : NULL, "Parameters", "a{sa{sv}}");
        g_autoptr(GVariant) nested = g_variant_lookup_value(parameters, "nested", G_VARIANT_TYPE_VARDICT);

        return g_str_equal(state, "live") || (g_str_equal(state, "builtin") && !nested);
}

/* The command is named when its plan says that it would do. */
static char *why_not_loaded(Client *client, const Item *module) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GVariant) plan = NULL;

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
        g_autoptr(GVariant) parameters = get_container(module ? module->properties : NULL, "Parameters", "a{sa{sv}}");
        g_autoptr(GVariant) entry = g_variant_lookup_value(parameters, "nested", G_VARIANT_TYPE_VARDICT);
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
        guint32 level = 0;

        (void) g_variant_lookup(inventory->manager, "Level", "u", &level);
        if (level > 0)
                host = g_strdup_printf("%s, inside a virtual machine%s%s%s", *model ? model : "unknown CPU",
                                       *below ? " (" : "", below, *below ? ")" : "");
        else if (g_str_equal(below, "unknown"))
                host = g_strdup("unknown (it could not be read; see nestvirtctl check)");
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
                g_autoptr(GVariant) pending = get_container(item->properties, "Pending", "a{ss}");
                GVariantIter iter;
                const char *name, *value;

                g_variant_iter_init(&iter, pending);
                while (g_variant_iter_next(&iter, "{&s&s}", &name, &value)) {
                        g_autofree char *text = g_strdup_printf("%s.%s=%s waits until nobody uses KVM (nestvirtctl "
                                                                "cancel drops it)",
                                                                item->name, name, value);
                        output_field(client->out, COLUMN, "Pending", STYLE_WARN, text);
                }
        }
}

/* The last proof, when there is one. */
static void print_probe(const Client *client, const Inventory *inventory) {
        g_autoptr(GVariant) probe = get_container(inventory->manager, "ProbeResult", "a{sv}");
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
        g_autoptr(GVariant) parameters = get_container(item->properties, "Parameters", "a{sa{sv}}");
        GVariantIter iter;
        const char *name;
        GVariant *entry;

        g_variant_iter_init(&iter, parameters);
        while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &name, &entry)) {
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
        g_autoptr(GVariant) users = NULL;
        guint32 omitted;

        if (!is_in_use(inventory) || holders_fetch(client, inventory, &users, &error) < 0)
                return;
        for (gsize i = 0; i < g_variant_n_children(users); i++) {
                g_autoptr(GVariant) user = g_variant_get_child_value(users, i);
                g_autofree char *text = get_omitted(user, &omitted) ? holders_describe_rest(users, i > 0)
                                                                    : holder_describe(user);
                output_field(client->out, COLUMN, i == 0 ? "Users" : "", STYLE_PLAIN, text);
        }
}

static void print_guests(const Client *client, const Inventory *inventory) {
        g_autofree char *text = guest_text_summary(inventory->guests);

        output_field(client->out, COLUMN, "Guests", STYLE_PLAIN, text ?: "");
}

static void print_json(const Client *client, const Inventory *inventory) {
        GVariantBuilder builder;
        GVariantIter iter;
        GVariant *entry;

        g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
        g_variant_iter_init(&iter, inventory->manager);
        while (g_variant_iter_loop(&iter, "@{sv}", &entry))
                g_variant_builder_add_value(&builder, entry);
        g_variant_builder_add(&builder, "{sv}", "modules", items_to_array(inventory->modules));
        g_variant_builder_add(&builder, "{sv}", "guests", items_to_array(inventory->guests));
        client_print_json(client, g_variant_builder_end(&builder));
}

int verb_status(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "read the status", &error);
        if (client->quiet)
                return g_str_equal(get_string(inventory->manager, "Nested"), "on") ? 0 : EXIT_NO;
        if (client->json != JSON_OFF) {
                print_json(client, inventory);
                return 0;
        }
        print_host(client, inventory);
        print_nested(client, inventory);
        print_paging_and_device(client, inventory);
        print_modules(client, inventory);
        print_users(client, inventory);
        print_guests(client, inventory);
        print_pending(client, inventory);
        print_parameters(client, inventory);
        return 0;
}
