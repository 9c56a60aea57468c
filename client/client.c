/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a run of nestvirtctl speaks: results, failures, wrong usage; for people or as JSON. It must
 * not know any verb. */

#include <stdio.h>

#include "client.h"
#include "error.h"
#include "names.h"

/* Where there are several roots, each text of JSON says which one it is about. */
static void append_json(const Client *client, GString *text, const Value *value) {
        g_autoptr(Value) whole = value_new(VALUE_DICTIONARY);

        if (client->roots->len > 1 && client->root) {
                value_add_text(whole, "root", client->root);
                value_add_all(whole, value);
                value = whole;
        }
        json_append(text, value, client->json);
}

void client_print_json(const Client *client, const Value *value) {
        g_autoptr(GString) text = g_string_new(NULL);

        append_json(client, text, value);
        g_string_append_c(text, '\n');
        output_raw(client->out, text->str);
}

void client_print_json_member(const Client *client, const char *key, const Value *value) {
        g_autoptr(Value) whole = value_new(VALUE_DICTIONARY);

        value_add(whole, key, value);
        client_print_json(client, whole);
}

/* At once, as nothing else will be printed, and also when results are not wanted. */
static void print_json_error(const Client *client, const char *name, const char *message) {
        g_autofree char *valid = g_utf8_make_valid(message, -1);
        g_autoptr(Value) error = value_new(VALUE_DICTIONARY), whole = value_new(VALUE_DICTIONARY);
        g_autoptr(GString) text = g_string_new(NULL);

        value_add_text(error, "name", name);
        value_add_text(error, "message", valid);
        if (client->holders)
                value_add(error, "holders", client->holders);
        value_add(whole, "error", error);
        append_json(client, text, whole);
        (void) puts(text->str);
}

typedef struct Hint {
        const char *name, *hint;
} Hint;

const char *client_hint(const Client *client, const char *error_name) {
        static const Hint hints[] = {
                        {SD_BUS_ERROR_SERVICE_UNKNOWN, "Is nestvirtd installed here? See: systemctl status nestvirtd"},
                        {SD_BUS_ERROR_NO_REPLY,
                         "See what happened: journalctl -u nestvirtd; and what is now: nestvirtctl status"},
                        {SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                         "Run it again without --no-ask-password and on a terminal, or as root"},
        };

        if (client->root)
                return NULL;
        for (gsize i = 0; i < G_N_ELEMENTS(hints); i++)
                if (g_strcmp0(hints[i].name, error_name) == 0)
                        return hints[i].hint;
        if (condition_exit_status(error_name) == 8 && g_strcmp0(error_name, SD_BUS_ERROR_NO_SERVER) != 0)
                return "See: systemctl status nestvirtd";
        return NULL;
}

int client_fail(const Client *client, const char *doing, const sd_bus_error *error) {
        const char *hint = client_hint(client, error->name);

        if (client->json != JSON_OFF)
                print_json_error(client, error->name, error->message ?: error->name);
        else {
                g_autofree char *what = output_escape(doing), *message = output_escape(error->message ?: error->name);
                g_autofree char *where = client->roots->len > 1 ? output_escape(client->root) : g_strdup("");
                (void) fprintf(stderr, "%s%sCannot %s: %s\n", where, *where ? ": " : "", what, message);
                if (hint)
                        (void) fprintf(stderr, "%s\n", hint);
        }
        return condition_exit_status(error->name);
}

int client_usage(const Client *client, const char *format, ...) {
        g_autofree char *message = NULL;
        va_list ap;

        va_start(ap, format);
        message = g_strdup_vprintf(format, ap);
        va_end(ap);
        if (client->json != JSON_OFF)
                print_json_error(client, condition_to_name(CONDITION_INVALID_ARGS), message);
        else {
                g_autofree char *escaped = output_escape(message);
                (void) fprintf(stderr, "nestvirtctl: %s; see nestvirtctl --help\n", escaped);
        }
        return EXIT_USAGE;
}
