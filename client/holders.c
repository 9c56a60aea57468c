/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the daemon for the holders, and says who one is. It prints nothing. */

#include <unistd.h>

#include "connection.h"
#include "holders.h"
#include "names.h"

int holders_fetch(Client *client, const Inventory *inventory, GVariant **ret, sd_bus_error *error) {
        const Item *module = inventory_vendor_module(inventory) ?: inventory_module(inventory, "kvm");

        if (!module) {
                *ret = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE_VARDICT, NULL, 0));
                return 0;
        }
        return connection_call_flags(client, module->path, IFACE_MODULE, "ListUsers", CALL_WAIT, 0, "aa{sv}", ret,
                                     error);
}

/* Whoever may not see others' is shown none of them. */
static bool are_own(GVariant *holders) {
        for (gsize i = 0; i < g_variant_n_children(holders); i++) {
                g_autoptr(GVariant) holder = g_variant_get_child_value(holders, i);
                guint32 uid;
                if (g_variant_lookup(holder, "Uid", "u", &uid) && uid != getuid())
                        return false;
        }
        return getuid() != 0;
}

char *holders_describe_rest(GVariant *holders, bool any) {
        const gsize n = g_variant_n_children(holders);
        g_autoptr(GVariant) last = n > 0 ? g_variant_get_child_value(holders, n - 1) : NULL;
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

char *holder_describe(GVariant *holder) {
        const char *guest = get_string(holder, "Guest"), *unit = get_string(holder, "Unit");
        guint32 pid = 0;

        (void) g_variant_lookup(holder, "Pid", "u", &pid);
        return g_strdup_printf("%s (pid %u)%s%s%s%s", get_string(holder, "Command"), pid, *guest ? ", guest " : "",
                               guest, *unit ? ", " : "", unit);
}
