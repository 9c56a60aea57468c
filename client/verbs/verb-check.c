/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl check: what the daemon finds. It judges nothing itself. */

#include "connection.h"
#include "inventory.h"
#include "names.h"
#include "verbs.h"

static Style status_style(const char *status) {
        return g_str_equal(status, "fail")   ? STYLE_BAD
               : g_str_equal(status, "warn") ? STYLE_WARN
               : g_str_equal(status, "pass") ? STYLE_GOOD
                                             : STYLE_DIM;
}

static void print_finding(Output *out, const Value *finding) {
        const char *status = get_string(finding, "Status"), *subject = get_string(finding, "Subject");
        const char *id = get_string(finding, "Id"), *fix = get_string(finding, "Fix");
        const unsigned width = output_width(status);
        guint32 omitted;

        if (get_omitted(finding, &omitted)) {
                g_autofree char *rest = describe_omitted(omitted);
                output_text(out, STYLE_WARN, rest);
                output_newline(out);
                return;
        }

        output_text(out, status_style(status), status);
        output_pad(out, width < 4 ? 6 - width : 2);
        output_text(out, STYLE_BOLD, id);
        if (!g_str_equal(subject, "host"))
                output_printf(out, STYLE_PLAIN, " (%s)", subject);
        output_printf(out, STYLE_PLAIN, ": %s", get_string(finding, "Message"));
        output_newline(out);
        if (*fix) {
                output_pad(out, 6);
                output_printf(out, STYLE_PLAIN, "To mend it: %s", fix);
                output_newline(out);
        }
}

static bool has_failed(const Value *findings) {
        for (guint32 i = 0; i < value_length(findings); i++) {
                const Value *finding = value_at(findings, i);
                if (g_str_equal(get_string(finding, "Status"), "fail"))
                        return true;
        }
        return false;
}

int verb_check(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) findings = NULL;

        if (connection_call_flags(client, PATH_MANAGER, IFACE_MANAGER, "Check", CALL_WAIT, 0, "aa{sv}", &findings,
                                  &error) < 0)
                return client_fail(client, "check the host", &error);

        const int status = has_failed(findings) ? EXIT_NO : 0;
        if (client->json != JSON_OFF)
                client_print_json_member(client, "findings", findings);
        else
                for (guint32 i = 0; i < value_length(findings); i++) {
                        const Value *finding = value_at(findings, i);
                        print_finding(client->out, finding);
                }
        return status;
}
