/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl show: a line for each parameter, what differs from its default first; or all that is
 * known, of those named or of every one. */

#include <string.h>

#include "catalog.h"
#include "error.h"
#include "inventory.h"
#include "parameter.h"
#include "table.h"
#include "verbs.h"

#define COLUMN 12U

/* Which parameters are wanted: "module.name" -> itself; NULL stands for all. */
static bool wants(GHashTable *wanted, const char *module, const char *name) {
        g_autofree char *key = g_strconcat(module, ".", name, NULL);

        return !wanted || g_hash_table_contains(wanted, key);
}

static int fail_unknown(const Client *client, const Inventory *inventory, const char *word) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const Item *vendor = inventory_vendor_module(inventory);
        const char *home = vendor ? vendor->name : "kvm";
        const Parameter *known = catalog_resolve(word, home);
        const Parameter *ours = known && known->counterpart ? catalog_find(home, known->counterpart) : NULL;
        const char *unsupported = condition_to_name(CONDITION_UNSUPPORTED);
        g_autofree char *doing = g_strdup_printf("show %s", word);

        if (!known)
                (void) sd_bus_error_setf(&error, condition_to_name(CONDITION_NO_SUCH_PARAMETER),
                                         "no parameter is called \"%s\"; those that there are: nestvirtctl show", word);
        else if (inventory_module(inventory, known->module))
                (void) sd_bus_error_setf(&error, unsupported, "%s of the running kernel has no parameter %s",
                                         known->module, known->name);
        else if (ours)
                (void) sd_bus_error_setf(&error, unsupported,
                                         "%s is a parameter of %s; %s calls it %s (nestvirtctl show %s)", known->name,
                                         known->module, home, ours->name, ours->name);
        else
                (void) sd_bus_error_setf(&error, unsupported, "%s is a parameter of %s, which this host does not use",
                                         known->name, known->module);
        return client_fail(client, doing, &error);
}

/* 0, or the exit status of a word that this host knows no parameter for. */
static int choose(const Client *client, const Inventory *inventory, char **words, GHashTable **ret) {
        g_autoptr(GHashTable) wanted = NULL;

        if (!*words)
                return 0;
        wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (; *words; words++) {
                g_autofree char *module = NULL, *name = NULL;
                if (!inventory_resolve(inventory, *words, &module, &name))
                        return fail_unknown(client, inventory, *words);
                (void) g_hash_table_add(wanted, g_strconcat(module, ".", name, NULL));
        }
        *ret = g_steal_pointer(&wanted);
        return 0;
}

/* The entries of one module that are wanted. */
static Value *filter_parameters(const Item *item, GHashTable *wanted) {
        const Value *parameters = get_dictionary(item->properties, "Parameters");
        Value *chosen = value_new_named();

        for (guint32 i = 0; i < value_length(parameters); i++)
                if (wants(wanted, item->name, value_name(parameters, i)))
                        value_add(chosen, value_name(parameters, i), value_at(parameters, i));
        return chosen;
}

static Value *describe_module(const Item *item, Value *parameters) {
        Value *module = value_new(VALUE_DICTIONARY);

        value_add_text(module, "name", item->name);
        value_take(module, "parameters", parameters);
        return module;
}

static void print_json(const Client *client, const Inventory *inventory, GHashTable *wanted) {
        g_autoptr(Value) modules = value_new(VALUE_LIST);

        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                g_autoptr(Value) parameters = filter_parameters(item, wanted);
                if (!wanted || value_length(parameters) > 0)
                        value_take(modules, NULL, describe_module(item, g_steal_pointer(&parameters)));
        }
        client_print_json_member(client, "modules", modules);
}

/* "a, b" */
static char *join(const Value *entry, const char *name) {
        return value_describe(get_list(entry, name));
}

static char *describe_values(const Value *entry) {
        const char *kind = get_string(entry, "Kind");

        if (g_str_equal(kind, "bool")) {
                g_autofree char *more = join(entry, "Choices");
                return *more ? g_strdup_printf("on, off, %s", more) : g_strdup("on, off");
        }
        if (g_str_equal(kind, "choice"))
                return join(entry, "Choices");
        return g_strdup(g_str_equal(kind, "uint") ? "a number, not negative" : "a number");
}

static void print_parameter(Output *out, const char *module, const char *name, const Value *entry) {
        const char *effective = get_string(entry, "Effective"), *source = get_string(entry, "Source");
        const char *pending = get_string(entry, "Pending");
        const bool writable = get_boolean(entry, "Writable");
        g_autofree char *configured = parameter_configured(entry), *values = describe_values(entry);
        g_autofree char *whole = *source ? g_strdup_printf("%s, by %s", configured, source) : g_strdup(configured);
        g_autofree char *overridden = join(entry, "Overridden");

        output_printf(out, STYLE_BOLD, "%s.%s", module, name);
        output_newline(out);
        output_field(out, COLUMN, "What it does", STYLE_PLAIN, get_string(entry, "Description"));
        output_field(out, COLUMN, "Effective",
                     g_str_equal(effective, "on")        ? STYLE_GOOD
                     : g_str_equal(effective, "unknown") ? STYLE_BAD
                                                         : STYLE_PLAIN,
                     *effective ? effective : "the module is not loaded");
        output_field(out, COLUMN, "Why", STYLE_WARN, get_string(entry, "Reason"));
        output_field(out, COLUMN, "Configured", STYLE_PLAIN, whole);
        output_field(out, COLUMN, "Overridden", STYLE_PLAIN, overridden);
        output_field(out, COLUMN, "Pending", STYLE_WARN, parameter_word(entry, pending));
        output_field(out, COLUMN, "Sysfs", STYLE_PLAIN, get_string(entry, "Value"));
        output_field(out, COLUMN, "Default", STYLE_PLAIN, parameter_word(entry, get_string(entry, "Default")));
        output_field(out, COLUMN, "Values", STYLE_PLAIN, values);
        output_field(out, COLUMN, "CPU can", STYLE_PLAIN, get_boolean(entry, "Supported") ? "yes" : "no");
        output_field(out, COLUMN, "Takes effect", STYLE_PLAIN,
                     writable ? "at once" : "when the module is loaded again");
}

static void add_parameters(Table *table, const Item *item, bool differing) {
        const Value *parameters = get_dictionary(item->properties, "Parameters");

        for (guint32 i = 0; i < value_length(parameters); i++) {
                const Value *entry = value_at(parameters, i);
                if (parameter_differs(entry) != differing)
                        continue;
                g_autofree char *parameter = g_strconcat(item->name, ".", value_name(parameters, i), NULL);
                const char *const cells[] = {parameter, get_string(entry, "Effective"),
                                             parameter_word(entry, get_string(entry, "Configured")),
                                             parameter_word(entry, get_string(entry, "Default"))};
                table_add(table, differing ? STYLE_BOLD : STYLE_PLAIN, cells, NULL);
        }
}

/* False when there are no parameters. */
static bool print_table(const Client *client, const Inventory *inventory) {
        static const char *const headings[] = {"PARAMETER", "EFFECTIVE", "CONFIGURED", "DEFAULT", NULL};
        g_autoptr(Table) table = table_new(headings);

        for (unsigned i = 0; i < inventory->modules->len; i++)
                add_parameters(table, g_ptr_array_index(inventory->modules, i), true);
        for (unsigned i = 0; i < inventory->modules->len; i++)
                add_parameters(table, g_ptr_array_index(inventory->modules, i), false);
        table_print(table, client->out);
        return !table_is_empty(table);
}

/* False when there are none. */
static bool print_blocks(const Client *client, const Inventory *inventory, GHashTable *wanted) {
        bool first = true;

        for (unsigned i = 0; i < inventory->modules->len; i++) {
                const Item *item = g_ptr_array_index(inventory->modules, i);
                const Value *parameters = get_dictionary(item->properties, "Parameters");
                for (guint32 j = 0; j < value_length(parameters); j++) {
                        const char *name = value_name(parameters, j);
                        if (!wants(wanted, item->name, name))
                                continue;
                        if (!first)
                                output_newline(client->out);
                        print_parameter(client->out, item->name, name, value_at(parameters, j));
                        first = false;
                }
        }
        return !first;
}

static void print_people(const Client *client, const Inventory *inventory, GHashTable *wanted) {
        if (wanted || client->all ? print_blocks(client, inventory, wanted) : print_table(client, inventory))
                return;
        const char *reason = get_string(inventory->manager, "NestedReason");
        output_printf(client->out, STYLE_PLAIN, "There is nothing to show: %s.",
                      *reason ? reason : "no module of KVM is loaded here, nor is one there to be loaded");
        output_newline(client->out);
}

int verb_show(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GHashTable) wanted = NULL;
        g_autoptr(Inventory) inventory = NULL;
        int status;

        if (client->all && *words)
                return client_usage(client, "--all shows every parameter, so none can be named");
        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "read the parameters", &error);
        status = choose(client, inventory, words, &wanted);
        if (status != 0)
                return status;
        if (client->json != JSON_OFF)
                print_json(client, inventory, wanted);
        else
                print_people(client, inventory, wanted);
        return 0;
}
