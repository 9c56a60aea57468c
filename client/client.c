/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a run of nestvirtctl speaks: results, failures, wrong usage; for people or as JSON. It must
 * not know any verb. */

#include <stdio.h>
#include <string.h>

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

/* @there has a %s for the other host. */
typedef struct Hint {
        const char *name, *here, *there;
} Hint;

static const Hint hints[] = {
                {SD_BUS_ERROR_SERVICE_UNKNOWN, "Is nestvirtd installed here? See: systemctl status nestvirtd",
                 "Is nestvirtd installed on %s? See there: systemctl status nestvirtd"},
                {SD_BUS_ERROR_NO_REPLY,
                 "See what happened: journalctl -u nestvirtd; and what is now: nestvirtctl status",
                 "See what happened on %s: journalctl -u nestvirtd; and what is now: nestvirtctl status"},
                {SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                 "Run it again without --no-ask-password and on a terminal, or as root",
                 "Over ssh nobody is asked for a password: use -H root@%s, or let a rule of polkit there allow it, as "
                 "in " DOCDIR "/examples/50-nestvirt.rules"},
};

/* @host without "USER@". */
static const char *host_alone(const char *host) {
        const char *at = strrchr(host, '@');

        return at ? at + 1 : host;
}

static char *hint_there(const char *text, const char *host) {
        const char *place = strstr(text, "%s");
        g_autofree char *escaped = output_escape(host);

        return g_strdup_printf("%.*s%s%s", (int) (place - text), text, escaped, place + 2);
}

char *client_hint(const Client *client, const char *error_name) {
        const char *host = client->host ? host_alone(client->host) : NULL;

        if (client->root)
                return NULL;
        for (gsize i = 0; i < G_N_ELEMENTS(hints); i++)
                if (g_strcmp0(hints[i].name, error_name) == 0)
                        return host ? hint_there(hints[i].there, host) : g_strdup(hints[i].here);
        if (condition_exit_status(error_name) != 8 || g_strcmp0(error_name, SD_BUS_ERROR_NO_SERVER) == 0)
                return NULL;
        return host ? hint_there("See on %s: systemctl status nestvirtd", host)
                    : g_strdup("See: systemctl status nestvirtd");
}

int client_fail(const Client *client, const char *doing, const sd_bus_error *error) {
        g_autofree char *hint = client_hint(client, error->name);

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
