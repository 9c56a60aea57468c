/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The host's half is told as any change is, the guests' as that of many guests is; differences are
 * a line each. */

#include <stdlib.h>

#include "apply-result.h"
#include "change-result.h"
#include "guests-result.h"
#include "inventory.h"

int apply_result_print(const Client *client, const Value *result) {
        guint64 failed = 0;

        (void) get_number(result, "Failed", &failed);
        change_print(client, result);
        if (client->json != JSON_OFF)
                return failed > 0 ? EXIT_FAILURE : 0;
        if (value_length(get_dictionary(result, "Guests")) > 0)
                (void) guests_result_print(client, result);
        return failed > 0 ? EXIT_FAILURE : 0;
}

static bool counts(const Value *drift, bool strict) {
        return strict || !get_boolean(drift, "Pending");
}

static bool differs(const Value *result, bool strict) {
        const Value *drift = get_list(result, "Drift");

        for (guint32 i = 0; i < value_length(drift); i++)
                if (counts(value_at(drift, i), strict))
                        return true;
        return false;
}

/* As people write a value: those of a switch, which is on or off in effect, are numbers. */
static const char *word(const Value *drift, const char *name) {
        const char *text = get_string(drift, name), *effective = get_string(drift, "Effective");
        const bool is_switch = g_str_equal(effective, "on") || g_str_equal(effective, "off");

        if (!*text)
                return "nothing";
        if (is_switch && g_str_equal(text, "0"))
                return "off";
        return is_switch && g_str_equal(text, "1") ? "on" : text;
}

static void print_parameter(const Client *client, const Value *drift) {
        output_printf(client->out, STYLE_PLAIN, "  %s.%s: desired %s, configured %s, in effect %s%s",
                      get_string(drift, "Module"), get_string(drift, "Name"), word(drift, "Desired"),
                      word(drift, "Configured"), word(drift, "Effective"),
                      get_boolean(drift, "Pending") ? " (it waits)" : "");
        output_newline(client->out);
}

static void print_guest(const Client *client, const Value *drift) {
        const Value *steps = get_list(drift, "Steps");

        output_printf(client->out, STYLE_PLAIN, "  guest %s", get_string(drift, "Guest"));
        for (guint32 i = 0; i < value_length(steps); i++)
                output_printf(client->out, STYLE_PLAIN, "%s %s", i > 0 ? ";" : ":", value_text(steps, i));
        output_newline(client->out);
}

/* Of these it can't be told. */
static void print_failed(const Client *client, const Value *result) {
        const Value *guests = get_dictionary(result, "Guests");

        for (guint32 i = 0; i < value_length(guests); i++) {
                const char *error = get_string(value_at(guests, i), "Error");
                if (!*error)
                        continue;
                output_printf(client->out, STYLE_BAD, "  guest %s: %s", value_name(guests, i), error);
                output_newline(client->out);
        }
}

static const char *headline(bool differ, bool any, bool failed) {
        return differ   ? "It differs from what is desired:"
               : failed ? "Of some guests it can't be told:"
               : any    ? "It is as desired, but for what waits:"
                        : "It is as desired.";
}

static void print_drift(const Client *client, const Value *result, bool differ, bool failed) {
        const Value *drift = get_list(result, "Drift");

        output_text(client->out, STYLE_BOLD, headline(differ, value_length(drift) > 0, failed));
        output_newline(client->out);
        for (guint32 i = 0; i < value_length(drift); i++) {
                const Value *one = value_at(drift, i);
                if (*get_string(one, "Guest"))
                        print_guest(client, one);
                else
                        print_parameter(client, one);
        }
        print_failed(client, result);
        change_print_notes(client, result);
}

int apply_result_print_drift(const Client *client, const Value *result, bool strict) {
        const bool differ = differs(result, strict);
        guint64 failed = 0;

        (void) get_number(result, "Failed", &failed);
        if (client->json != JSON_OFF)
                client_print_json(client, result);
        else
                print_drift(client, result, differ, failed > 0);
        return differ ? EXIT_NO : failed > 0 ? EXIT_FAILURE : 0;
}
