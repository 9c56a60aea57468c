/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking the daemon for a guest, and reading an answer of yes or no. */

#include <string.h>

#include "connection.h"
#include "guest-call.h"

int guest_call_find(Client *client, const char *name, GVariant **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *find = NULL;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "GetGuest", &find, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(find, "s", name);
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call(client, find, CALL_WAIT, "o", ret, error);
}

int guest_call_list(Client *client, sd_bus_message **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "ListGuests", &call, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "t", UINT64_C(0));
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call_message(client, call, CALL_WAIT, ret, error);
}

int guest_call_switch(const char *word) {
        static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1", "n", "y"};

        for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
                if (g_ascii_strcasecmp(word, words[i]) == 0)
                        return (int) (i % 2);
        return -1;
}
