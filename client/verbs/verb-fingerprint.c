/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl fingerprint: what the daemon reads of KVM. As JSON it is what compare takes. */

#include "connection.h"
#include "verbs.h"

#define COLUMN 14

static void print_fingerprint(Output *out, const Value *fingerprint) {
        g_autofree char *features = value_describe(get_list(fingerprint, "Features"));
        g_autofree char *parameters = value_describe(get_dictionary(fingerprint, "Parameters"));

        output_text(out, STYLE_BOLD, get_string(fingerprint, "Sha256"));
        output_newline(out);
        output_field(out, COLUMN, "CPU", STYLE_PLAIN, get_string(fingerprint, "CpuModel"));
        output_field(out, COLUMN, "Kernel", STYLE_PLAIN, get_string(fingerprint, "Release"));
        output_field(out, COLUMN, "Parameters", STYLE_PLAIN, parameters);
        output_field(out, COLUMN, "Features", STYLE_PLAIN, *features ? features : "none: guests can't have guests");
}

int verb_fingerprint(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Value) fingerprint = NULL;

        if (connection_call_flags(client, PATH_MANAGER, IFACE_MANAGER, "GetFingerprint", CALL_WAIT, 0, "a{sv}",
                                  &fingerprint, &error) < 0)
                return client_fail(client, "read what KVM offers", &error);
        if (client->json != JSON_OFF)
                client_print_json(client, fingerprint);
        else
                print_fingerprint(client->out, fingerprint);
        return 0;
}
