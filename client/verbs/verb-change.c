/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs that change something: set, reset, reload, ensure-device. Each is one call, whose
 * answer is printed. What may be changed and how is the daemon's to decide. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change-result.h"
#include "connection.h"
#include "inventory.h"
#include "loop.h"
#include "names.h"
#include "verbs.h"
#include "verify.h"
#include "wait.h"

typedef struct Assignment {
        char *module, *name;
        const char *value; /* NULL for a reset */
} Assignment;

static void assignment_free(Assignment *assignment) {
        g_free(assignment->module);
        g_free(assignment->name);
        g_free(assignment);
}

/* @word is PARAMETER, or PARAMETER=VALUE; checked before. */
static Assignment *assignment_new(const Inventory *inventory, const char *word) {
        Assignment *assignment = g_new0(Assignment, 1);
        const char *equals = strchr(word, '=');
        g_autofree char *name = equals ? g_strndup(word, (gsize) (equals - word)) : g_strdup(word);

        (void) inventory_resolve(inventory, name, &assignment->module, &assignment->name);
        assignment->value = equals ? equals + 1 : NULL;
        return assignment;
}

static GPtrArray *assignments_new(const Inventory *inventory, char **words) {
        GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify) assignment_free);

        for (; *words; words++)
                g_ptr_array_add(list, assignment_new(inventory, *words));
        return list;
}

/* "module.name" each. */
static GPtrArray *assignments_keys(const GPtrArray *list) {
        GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; i < list->len; i++) {
                const Assignment *a = g_ptr_array_index(list, i);
                g_ptr_array_add(keys, g_strconcat(a->module, ".", a->name, NULL));
        }
        return keys;
}

/* The first of its module: the others follow with it. */
static bool opens_module(const GPtrArray *list, unsigned index) {
        const Assignment *a = g_ptr_array_index(list, index);

        for (unsigned i = 0; i < index; i++)
                if (g_str_equal(((const Assignment *) g_ptr_array_index(list, i))->module, a->module))
                        return false;
        return true;
}

/* All of one module: {s a{ss}} or {s as}. Values go as the user wrote them. */
static int append_module(sd_bus_message *call, const GPtrArray *list, const char *module, bool values) {
        int r;

        r = sd_bus_message_open_container(call, SD_BUS_TYPE_DICT_ENTRY, values ? "sa{ss}" : "sas");
        if (r >= 0)
                r = sd_bus_message_append(call, "s", module);
        if (r >= 0)
                r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, values ? "{ss}" : "s");
        for (unsigned i = 0; r >= 0 && i < list->len; i++) {
                const Assignment *a = g_ptr_array_index(list, i);
                if (!g_str_equal(a->module, module))
                        continue;
                r = values ? sd_bus_message_append(call, "{ss}", a->name, a->value)
                           : sd_bus_message_append(call, "s", a->name);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(call);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int append_assignments(sd_bus_message *call, const GPtrArray *list, bool values) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, values ? "{sa{ss}}" : "{sas}");

        for (unsigned i = 0; r >= 0 && i < list->len; i++)
                if (opens_module(list, i))
                        r = append_module(call, list, ((const Assignment *) g_ptr_array_index(list, i))->module,
                                          values);
        return r < 0 ? r : sd_bus_message_close_container(call);
}

/* Of a call that Busy may be the answer to: who is in the way is told in JSON alone. */
static uint64_t change_flags(const Client *client) {
        return client->flags | (client->json != JSON_OFF ? FLAG_HOLDERS : 0);
}

static int call_change(Client *client, const GPtrArray *list, bool values, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        const bool dry_run = client->flags & FLAG_DRY_RUN;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, values ? "SetParameters" : "ResetParameters", &call,
                               error);
        if (r < 0)
                return r;
        r = append_assignments(call, list, values);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", change_flags(client));
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, call, dry_run ? CALL_WAIT : CALL_CHANGE, "a{sv}", ret, error);
}

/* The value in sysfs of "name" or "module.name"; NULL when there is none any more. */
static const char *value_now(const Inventory *inventory, const char *word) {
        g_autofree char *module = NULL, *name = NULL;

        if (!inventory_resolve(inventory, word, &module, &name))
                return NULL;
        const Item *item = inventory_module(inventory, module);
        const Value *parameters = get_dictionary(item->properties, "Parameters");
        return get_string(value_find(parameters, name), "Value");
}

/* The values of @result, read back again. */
static Value *values_now(const Inventory *inventory, const Value *result) {
        const Value *values = get_dictionary(result, "Values");
        Value *now = value_new_named();

        for (guint32 i = 0; i < value_length(values); i++) {
                const char *name = value_name(values, i);
                value_add_text(now, name, value_now(inventory, name) ?: value_text(values, i));
        }
        return now;
}

/* An entry of Changes, ending with what there is now. */
static Value *change_now(const Inventory *inventory, const Value *change) {
        static const char *const keys[] = {"Configured", "Effective", "Pending", "Source"};
        const Item *item = inventory_module(inventory, get_string(change, "Module"));
        const Value *parameters = item ? get_dictionary(item->properties, "Parameters") : NULL;
        const Value *parameter = value_find(parameters, get_string(change, "Name"));
        Value *now = value_new(VALUE_DICTIONARY), *after = value_new(VALUE_DICTIONARY);

        for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
                value_add_text(after, keys[i], get_string(parameter, keys[i]));
        value_take(now, "After", after);
        value_add(now, "Before", get_dictionary(change, "Before"));
        value_add_text(now, "Module", get_string(change, "Module"));
        value_add_text(now, "Name", get_string(change, "Name"));
        return now;
}

static Value *changes_now(const Inventory *inventory, const Value *result) {
        const Value *changes = get_list(result, "Changes");
        Value *now = value_new(VALUE_LIST);

        for (guint32 i = 0; i < value_length(changes); i++)
                value_take(now, NULL, change_now(inventory, value_at(changes, i)));
        return now;
}

/* @result, as it would have been had the change not had to wait; it has to last as long. */
static Value *result_now(const Inventory *inventory, const Value *result, const char *outcome) {
        Value *now = value_new(VALUE_DICTIONARY);

        for (guint32 i = 0; i < value_length(result); i++) {
                const char *name = value_name(result, i);
                if (g_str_equal(name, "Outcome"))
                        value_add_text(now, name, outcome);
                else if (g_str_equal(name, "Changes"))
                        value_take(now, name, changes_now(inventory, result));
                else if (g_str_equal(name, "Values"))
                        value_take(now, name, values_now(inventory, result));
                else
                        value_add(now, name, value_at(result, i));
        }
        return now;
}

static void say_waiting(const Client *client, const Value *result) {
        if (client->json != JSON_OFF || client->quiet)
                return;
        change_print(client, result);
        output_text(client->out, STYLE_PLAIN, "Waiting for that; Ctrl-C ends only the waiting.");
        output_newline(client->out);
        (void) output_flush(client->out, false);
}

static int stop_waiting(const Client *client, const Value *result) {
        if (client->json != JSON_OFF)
                change_print(client, result);
        else
                (void) fprintf(stderr,
                               "\nNo longer waiting for it, but it is still to be done as soon as nobody uses KVM; "
                               "to drop it: nestvirtctl cancel\n");
        return EXIT_FAILURE;
}

/* Prints what has become of it with @print, and with --verify what that is worth. */
static int conclude(Client *client, const Value *result, void (*print)(const Client *client, const Value *result)) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (client->json == JSON_OFF || !client->verify)
                print(client, result);
        if (!client->verify)
                return 0;
        if (client->quiet)
                output_discard(client->out);
        (void) output_flush(client->out, false);
        g_autoptr(Value) verified = verify_change(client, result, &error);
        if (!verified)
                return client_fail(client, "verify it", &error);
        if (client->json != JSON_OFF)
                print(client, verified);
        else
                change_print_verdict(client, verified);
        return 0;
}

/* The change waits for idle, and the user wants to see its end. */
static int await_end(Client *client, Wait *wait, const GPtrArray *list, const Value *result, const char *doing) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(GPtrArray) keys = assignments_keys(list);
        g_autoptr(Inventory) inventory = NULL;
        g_autofree char *outcome = NULL;
        int r;

        loop_hold_signals();
        say_waiting(client, result);
        r = wait_run(wait, keys, &outcome, &error);
        if (r == -EINTR)
                return stop_waiting(client, result);
        if (r >= 0)
                r = inventory_fetch(client, &inventory, &error);
        if (r < 0)
                return client_fail(client, doing, &error);

        g_autoptr(Value) ended = result_now(inventory, result, outcome);
        if (g_str_equal(outcome, "applied"))
                return conclude(client, ended, change_print_outcome);
        change_print_outcome(client, ended);
        return EXIT_FAILURE;
}

/* @words: PARAMETER=VALUE when @values, else PARAMETER, or none at all. */
static int change_parameters(Client *client, char **words, bool values, const char *doing) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;
        g_autoptr(GPtrArray) list = NULL;
        g_autoptr(Value) result = NULL;
        g_autoptr(Wait) wait = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, doing, &error);
        list = assignments_new(inventory, words);
        if (client->wait && wait_new(client, &wait, &error) < 0)
                return client_fail(client, doing, &error);
        if (call_change(client, list, values, &result, &error) < 0)
                return client_fail(client, doing, &error);
        if (wait && g_str_equal(get_string(result, "Outcome"), "deferred"))
                return await_end(client, wait, list, result, doing);
        return conclude(client, result, change_print);
}

/* "set nested, npt" */
static char *describe(const char *verb, char **words, const char *otherwise) {
        g_autoptr(GString) text = g_string_new(verb);

        if (!*words)
                g_string_append_printf(text, " %s", otherwise);
        for (char **word = words; *word; word++)
                g_string_append_printf(text, "%s %.*s", word == words ? "" : ",", (int) strcspn(*word, "="), *word);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

int verb_set(Client *client, char **words) {
        g_autofree char *doing = describe("set", words, "");

        for (char **word = words; *word; word++)
                if (!strchr(*word, '=') || **word == '=')
                        return client_usage(client, "\"%s\" is not PARAMETER=VALUE, as in nested=on", *word);
        return change_parameters(client, words, true, doing);
}

int verb_reset(Client *client, char **words) {
        g_autofree char *doing = describe("reset", words, "parameters");

        for (char **word = words; *word; word++)
                if (strchr(*word, '=') || !**word)
                        return client_usage(client, "\"%s\" is not the name of a parameter, as nested is", *word);
        return change_parameters(client, words, false, doing);
}

static CallKind kind_of_change(const Client *client) {
        return client->flags & FLAG_DRY_RUN ? CALL_WAIT : CALL_CHANGE;
}

int verb_reload(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;
        g_autoptr(Value) result = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0)
                return client_fail(client, "reload KVM", &error);

        const Item *module = inventory_vendor_module(inventory) ?: inventory_module(inventory, "kvm");
        const char *path = module ? module->path : PATH_MODULE_PREFIX "/kvm";
        if (connection_call_flags(client, path, IFACE_MODULE, "Reload", kind_of_change(client), change_flags(client),
                                  "a{sv}", &result, &error) < 0)
                return client_fail(client, "reload KVM", &error);
        change_print(client, result);
        return 0;
}

int verb_ensure_device(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) result = NULL;

        if (connection_call_flags(client, PATH_MANAGER, IFACE_MANAGER, "EnsureDevice", kind_of_change(client),
                                  client->flags, "a{sv}", &result, &error) < 0)
                return client_fail(client, "mend /dev/kvm", &error);
        change_print(client, result);
        return 0;
}
