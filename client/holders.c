/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the daemon for the holders, and says who one is. It prints nothing. */

#include <unistd.h>

#include "connection.h"
#include "holders.h"
#include "names.h"

int holders_fetch(Client *client, const Inventory *inventory, Value **ret, sd_bus_error *error) {
        const Item *module = inventory_vendor_module(inventory) ?: inventory_module(inventory, "kvm");

        if (!module) {
                *ret = value_new(VALUE_LIST);
                return 0;
        }
        return connection_call_flags(client, module->path, IFACE_MODULE, "ListUsers", CALL_WAIT, 0, "aa{sv}", ret,
                                     error);
}

/* Whoever may not see others' is shown none of them. */
static bool are_own(const Value *holders) {
        for (guint32 i = 0; i < value_length(holders); i++) {
                const Value *holder = value_at(holders, i);
                guint64 uid;
                if (get_number(holder, "Uid", &uid) && uid != getuid())
                        return false;
        }
        return getuid() != 0;
}

char *holders_describe_rest(const Value *holders, bool any) {
        const guint32 n = value_length(holders);
        const Value *last = n > 0 ? value_at(holders, n - 1) : NULL;
        const char *others = are_own(holders) ? " of other users" : "";
        guint32 omitted;

        if (!last || !get_omitted(last, &omitted))
                return NULL;
        if (any) {
                g_autofree char *rest = describe_omitted(omitted);
                return g_strconcat(rest, omitted > 0 ? others : "", NULL);
        }
        return omitted > 0 ? g_strdup_printf("%u process%s%s", omitted, omitted == 1 ? "" : "es", others)
                           : g_strdup("perhaps somebody who was not looked at");
}

char *holder_describe(const Value *holder) {
        const char *guest = get_string(holder, "Guest"), *unit = get_string(holder, "Unit");
        guint64 pid = 0;

        (void) get_number(holder, "Pid", &pid);
        return g_strdup_printf("%s (pid %" G_GUINT64_FORMAT ")%s%s%s%s", get_string(holder, "Command"), pid,
                               *guest ? ", guest " : "", guest, *unit ? ", " : "", unit);
}
