/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* nestvirtctl users: who holds KVM, a line each. */

#include "holders.h"
#include "table.h"
#include "verbs.h"

static void print_holders(const Client *client, const Value *holders) {
        static const char *const headings[] = {"PID", "UID", "COMMAND", "UNIT", "GUEST", "CLAIMS NESTED", NULL};
        g_autoptr(Table) table = table_new(headings);

        for (guint32 i = 0; i < value_length(holders); i++) {
                const Value *holder = value_at(holders, i);
                guint64 pid = 0, uid = 0;
                guint32 omitted;
                if (get_omitted(holder, &omitted))
                        continue;
                (void) get_number(holder, "Pid", &pid);
                (void) get_number(holder, "Uid", &uid);
                g_autofree char *pid_text = g_strdup_printf("%" G_GUINT64_FORMAT, pid);
                g_autofree char *uid_text = g_strdup_printf("%" G_GUINT64_FORMAT, uid);
                const char *const cells[] = {pid_text,
                                             uid_text,
                                             get_string(holder, "Command"),
                                             get_string(holder, "Unit"),
                                             get_string(holder, "Guest"),
                                             get_string(holder, "NestedClaim")};
                table_add(table, STYLE_PLAIN, cells, NULL);
        }
        table_print(table, client->out);
        g_autofree char *rest = holders_describe_rest(holders, !table_is_empty(table));
        if (rest && table_is_empty(table))
                output_printf(client->out, STYLE_PLAIN, "KVM is in use by %s.", rest);
        else if (rest || table_is_empty(table))
                output_text(client->out, STYLE_PLAIN, rest ?: "Nobody uses KVM.");
        else
                return;
        output_newline(client->out);
}

int verb_users(Client *client, char **words) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Inventory) inventory = NULL;
        g_autoptr(Value) holders = NULL;

        if (inventory_fetch(client, &inventory, &error) < 0 || holders_fetch(client, inventory, &holders, &error) < 0)
                return client_fail(client, "list who uses KVM", &error);
        if (client->json != JSON_OFF)
                client_print_json_member(client, "users", holders);
        else
                print_holders(client, holders);
        return 0;
}
