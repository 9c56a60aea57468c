/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words for outcomes. An outcome that this client does not know is printed as it is. */

#include "change-result.h"
#include "inventory.h"
#include "names.h"

static const char *headline(const Client *client, const char *outcome) {
        if (g_str_equal(outcome, "unchanged"))
                return "Nothing to do: it is so already.";
        if (g_str_equal(outcome, "applied"))
                return client->flags & FLAG_RUNTIME ? "Done: in effect now, until the next boot."
                                                    : "Done: in effect now.";
        if (g_str_equal(outcome, "configured"))
                return client->flags & FLAG_NEXT_BOOT ? "Kept for the next boot; what is in effect now stays."
                                                      : "Kept; what is in effect has not changed.";
        if (g_str_equal(outcome, "deferred"))
                return "Kept, and in effect as soon as nobody uses KVM. Who does: nestvirtctl users; to drop it: "
                       "nestvirtctl "
                       "cancel";
        if (g_str_equal(outcome, "planned"))
                return "This would be done; nothing has been changed:";
        return outcome;
}

static void print_texts(Output *out, const Value *result, const char *name) {
        const Value *steps = get_list(result, name);

        for (guint32 i = 0; i < value_length(steps); i++) {
                output_printf(out, STYLE_PLAIN, "  %s", value_text(steps, i));
                output_newline(out);
        }
}

void change_print_notes(const Client *client, const Value *result) {
        print_texts(client->out, result, "Notes");
}

static void print_impact(Output *out, const Value *result) {
        const Value *impact = get_list(result, "Impact");

        for (guint32 i = 0; i < value_length(impact); i++) {
                const Value *one = value_at(impact, i);
                guint32 omitted;
                output_pad(out, 2);
                if (get_omitted(one, &omitted)) {
                        g_autofree char *rest = describe_omitted(omitted);
                        output_text(out, STYLE_WARN, rest);
                        output_newline(out);
                        continue;
                }
                output_text(out, STYLE_WARN, get_string(one, "Kind"));
                output_printf(out, STYLE_PLAIN, ": %s", get_string(one, "Message"));
                output_newline(out);
        }
}

static void print_values(Output *out, const Value *result) {
        const Value *values = get_dictionary(result, "Values");
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint32 i = 0; i < value_length(values); i++)
                g_string_append_printf(text, "%s%s=%s", i > 0 ? ", " : "", value_name(values, i),
                                       value_text(values, i));
        output_field(out, 0, "In the kernel", STYLE_BOLD, text->str);
}

static void print_headline(const Client *client, const Value *result) {
        output_text(client->out, STYLE_BOLD, headline(client, get_string(result, "Outcome")));
        output_newline(client->out);
}

void change_print_outcome(const Client *client, const Value *result) {
        if (client->json != JSON_OFF) {
                client_print_json(client, result);
                return;
        }
        print_headline(client, result);
        print_values(client->out, result);
}

void change_print(const Client *client, const Value *result) {
        if (client->json != JSON_OFF) {
                client_print_json(client, result);
                return;
        }
        print_headline(client, result);
        print_texts(client->out, result, "Steps");
        change_print_notes(client, result);
        print_impact(client->out, result);
        print_values(client->out, result);
}

void change_print_verdict(const Client *client, const Value *result) {
        const bool on = g_str_equal(get_string(result, "Verified"), "on");

        output_text(client->out, STYLE_BOLD, on ? "Proven on: " : "Proven off: ");
        output_text(client->out, STYLE_PLAIN,
                    on ? "a guest of a guest ran."
                       : "no guest of a guest could run, not even with a virtual CPU that is forced to have it.");
        output_newline(client->out);
}

static void print_line(Output *out, const char *text) {
        output_text(out, STYLE_PLAIN, text);
        output_newline(out);
}

void change_print_diff(const Client *client, const char *diff, const char *missing) {
        if (!*diff && *missing) {
                output_printf(client->out, STYLE_WARN, "No difference can be shown: %s", missing);
                output_newline(client->out);
        } else if (*diff)
                output_document(client->out, diff);
}

void change_print_guest(const Client *client, const char *name, const Value *result) {
        const char *outcome = get_string(result, "Outcome");
        Output *out = client->out;

        if (client->json != JSON_OFF) {
                client_print_json(client, result);
                return;
        }
        output_text(out, STYLE_BOLD,
                    g_str_equal(outcome, "applied") ? "Done: it is defined so now." : headline(client, outcome));
        output_newline(out);
        print_texts(out, result, "Steps");
        print_impact(out, result);
        print_texts(out, result, "Advice");
        if (get_boolean(result, "RestartNeeded")) {
                g_autofree char *text =
                                g_strdup_printf("%s runs with another CPU until it is switched off and on again; "
                                                "a reboot from inside is not enough.",
                                                name);
                print_line(out, text);
        }
        if (client->flags & FLAG_DRY_RUN)
                change_print_diff(client, get_string(result, "Diff"), get_string(result, "DiffMissing"));
}
