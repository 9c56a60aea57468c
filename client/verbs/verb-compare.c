/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl compare: fingerprints out of files, and what the daemon makes of them, and of a guest
 * of the host. It judges nothing itself. */

#include "connection.h"
#include "error.h"
#include "guest-call.h"
#include "input.h"
#include "table.h"
#include "verbs.h"

/* Ours have two kilobytes. */
#define INPUT_MAX ((gsize) 64 * 1024)
#define DOING "compare the fingerprints"

static int fail(const Client *client, Condition condition, const char *message) {
        const sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(condition_to_name(condition), message);

        return client_fail(client, DOING, &error);
}

/* 0, or an exit status. */
static int read_fingerprint(const Client *client, const char *file, Value **ret) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *message = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        if (!input_read(file, INPUT_MAX, text, &error))
                return client_fail(client, DOING, &error);
        *ret = json_read(text->str);
        if (*ret && value_length(get_dictionary(*ret, "ability")) > 0)
                return 0;
        message = g_strdup_printf("%s is no fingerprint, which nestvirtctl fingerprint --json writes", file);
        return fail(client, CONDITION_INVALID_ARGS, message);
}

/* A dictionary of texts, by another name in JSON than on the bus. */
static int append_texts(sd_bus_message *call, const char *name, const Value *texts) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_DICT_ENTRY, "sv");

        if (r >= 0)
                r = sd_bus_message_append(call, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(call, SD_BUS_TYPE_VARIANT, "a{ss}");
        if (r >= 0)
                r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{ss}");
        for (guint32 i = 0; r >= 0 && i < value_length(texts); i++)
                r = sd_bus_message_append(call, "{ss}", value_name(texts, i), value_text(texts, i));
        for (unsigned i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(call);
        return r;
}

/* a{sv}, empty when @fingerprint is NULL: the host that is asked. */
static int append_fingerprint(sd_bus_message *call, const Value *fingerprint) {
        int r = sd_bus_message_open_container(call, SD_BUS_TYPE_ARRAY, "{sv}");

        if (r >= 0 && fingerprint)
                r = append_texts(call, "Ability", get_dictionary(fingerprint, "ability"));
        if (r >= 0 && fingerprint)
                r = append_texts(call, "Parameters", get_dictionary(fingerprint, "parameters"));
        if (r >= 0 && fingerprint && value_find(fingerprint, "sha256"))
                r = sd_bus_message_append(call, "{sv}", "Sha256", "s", get_string(fingerprint, "sha256"));
        return r < 0 ? r : sd_bus_message_close_container(call);
}

static int call_compare(Client *client, const Value *first, const Value *second, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "CompareFingerprints", &call, error);

        if (r < 0)
                return r;
        r = append_fingerprint(call, first);
        if (r >= 0)
                r = append_fingerprint(call, second);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", UINT64_C(0));
        return r < 0 ? connection_fail(client, r, error)
                     : connection_call(client, call, CALL_WAIT, "a{sv}", ret, error);
}

/* Whether that guest of the host that is asked can go to the one with the fingerprint @there. */
static int call_compare_guest(Client *client, const Value *there, Value **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        g_autofree char *path = NULL;
        int r = guest_call_find(client, client->guest.name, &path, error);

        if (r >= 0)
                r = connection_prepare(client, path, IFACE_GUEST, "Compare", &call, error);
        if (r < 0)
                return r;
        r = append_fingerprint(call, there);
        if (r >= 0)
                r = sd_bus_message_append(call, "t", UINT64_C(0));
        return r < 0 ? connection_fail(client, r, error)
                     : connection_call(client, call, CALL_WAIT, "a{sv}", ret, error);
}

static Style verdict_style(const char *verdict) {
        return g_str_equal(verdict, "refuses") ? STYLE_BAD : g_str_equal(verdict, "unknown") ? STYLE_WARN : STYLE_GOOD;
}

static const char *kind_words(const char *kind) {
        return g_str_equal(kind, "missing")    ? "not offered there"
               : g_str_equal(kind, "required") ? "can't be left out there"
               : g_str_equal(kind, "value")    ? "is another one there"
                                               : kind;
}

/* @hosts: what they are called for people; @second: what the daemon calls the second one. */
static void print_differences(Output *out, const Value *differences, const char *const *hosts, const char *second) {
        static const char *const headings[] = {"FEATURE", "WHY", "WHAT WOULD DO", NULL};
        g_autoptr(Table) table = table_new(headings);

        for (guint32 i = 0; i < value_length(differences); i++) {
                const Value *one = value_at(differences, i);
                const char *parameter = get_string(one, "Parameter");
                g_autofree char *remedy =
                                !*parameter ? g_strdup("")
                                            : g_strdup_printf("%s on %s", parameter,
                                                              hosts[g_str_equal(get_string(one, "Host"), second)]);
                const char *const cells[] = {get_string(one, "Feature"), kind_words(get_string(one, "Kind")), remedy,
                                             NULL};
                table_add(table, STYLE_PLAIN, cells, NULL);
        }
        table_print(table, out);
}

static bool is_good(const Value *direction) {
        const char *verdict = get_string(direction, "Verdict");

        return g_str_equal(verdict, "identical") || g_str_equal(verdict, "accepts");
}

static void print_verdict(const Client *client, const Value *direction) {
        const char *verdict = get_string(direction, "Verdict");

        output_text(client->out, verdict_style(verdict), verdict);
        output_newline(client->out);
}

/* Whether a guest of the one can run on the other. */
static void print_direction(const Client *client, const Value *direction, const char *from, const char *to,
                            const char *const *hosts) {
        const Value *differences = get_list(direction, "Differences");

        output_printf(client->out, STYLE_PLAIN, "A guest of %s on %s: ", from, to);
        print_verdict(client, direction);
        if (value_length(differences) > 0)
                print_differences(client->out, differences, hosts, "second");
}

static void print_guest(const Client *client, const Value *result, const char *file) {
        const char *const hosts[] = {client->host ?: "this host", file};
        const Value *differences = get_list(result, "Differences");

        output_printf(client->out, STYLE_PLAIN, "%s on %s: ", client->guest.name, file);
        print_verdict(client, result);
        output_text(client->out, STYLE_PLAIN, get_string(result, "Reason"));
        output_newline(client->out);
        if (value_length(differences) > 0)
                print_differences(client->out, differences, hosts, "there");
}

static int compare_guest(Client *client, const char *file) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) there = NULL, result = NULL;
        int status = read_fingerprint(client, file, &there);

        if (status != 0)
                return status;
        if (call_compare_guest(client, there, &result, &error) < 0) {
                g_autofree char *doing = g_strdup_printf("compare the guest \"%s\"", client->guest.name);
                return client_fail(client, doing, &error);
        }
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                print_guest(client, result, file);
        return is_good(result) ? 0 : EXIT_NO;
}

static int compare_hosts(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) first = NULL, second = NULL, result = NULL;
        const char *const hosts[] = {words[0], words[1] ?: client->host ?: "this host"};
        int status;

        status = read_fingerprint(client, words[0], &first);
        if (status == 0 && words[1])
                status = read_fingerprint(client, words[1], &second);
        if (status != 0)
                return status;
        if (call_compare(client, first, second, &result, &error) < 0)
                return client_fail(client, DOING, &error);

        const Value *there = get_dictionary(result, "FirstToSecond"), *back = get_dictionary(result, "SecondToFirst");
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else {
                print_direction(client, there, hosts[0], hosts[1], hosts);
                print_direction(client, back, hosts[1], hosts[0], hosts);
        }
        return is_good(there) && is_good(back) ? 0 : EXIT_NO;
}

int verb_compare(Client *client, char **words) {
        if (!client->guest.name)
                return compare_hosts(client, words);
        if (words[1])
                return client_usage(client,
                                    "--guest is one of this host, so there is one FILE, that of the other host");
        return compare_guest(client, words[0]);
}
