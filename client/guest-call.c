/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking the daemon for a guest, and reading an answer of yes or no. */

#include <errno.h>
#include <string.h>

#include "connection.h"
#include "guest-call.h"

int guest_call_find(Client *client, const char *name, char **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *find = NULL, *found = NULL;
        const char *path;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "GetGuest", &find, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(find, "s", name);
        if (r < 0)
                return connection_fail(client, r, error);
        r = connection_call_message(client, find, CALL_WAIT, &found, error);
        if (r < 0)
                return r;
        r = sd_bus_message_read(found, "o", &path);
        if (r <= 0)
                return connection_fail(client, r < 0 ? r : -EBADMSG, error);
        *ret = g_strdup(path);
        return 0;
}

int guest_call_switch(const char *word) {
        static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1", "n", "y"};

        for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
                if (g_ascii_strcasecmp(word, words[i]) == 0)
                        return (int) (i % 2);
        return -1;
}
