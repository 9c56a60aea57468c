/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keeps what the daemon says of KVM's users. It must not know what is done with a machine. */

#include <string.h>

#include "holders.h"
#include "machines.h"

struct Machines {
        Client *client;
        Inventory *inventory;
        GHashTable *guests; /* UUID -> name, both the inventory's */
        GVariant *holders;  /* aa{sv}, or NULL */
        GHashTable *by_pid; /* PID -> GVariant* of those */
};

static void unref_holder(gpointer holder) {
        g_variant_unref(holder);
}

int machines_new(Client *client, Machines **ret, sd_bus_error *error) {
        g_autoptr(Machines) machines = g_new0(Machines, 1);

        machines->client = client;
        machines->guests = g_hash_table_new(g_str_hash, g_str_equal);
        machines->by_pid = g_hash_table_new_full(NULL, NULL, NULL, unref_holder);
        int r = inventory_fetch(client, &machines->inventory, error);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < machines->inventory->guests->len; i++) {
                const Item *item = g_ptr_array_index(machines->inventory->guests, i);
                (void) g_hash_table_insert(machines->guests, (gpointer) get_string(item->properties, "Uuid"),
                                           (gpointer) item->name);
        }
        *ret = g_steal_pointer(&machines);
        return 0;
}

void machines_free(Machines *machines) {
        if (!machines)
                return;
        g_hash_table_unref(machines->guests);
        g_hash_table_unref(machines->by_pid);
        g_clear_pointer(&machines->inventory, inventory_free);
        g_clear_pointer(&machines->holders, g_variant_unref);
        g_free(machines);
}

int machines_look(Machines *machines, sd_bus_error *error) {
        g_hash_table_remove_all(machines->by_pid);
        g_clear_pointer(&machines->holders, g_variant_unref);
        int r = holders_fetch(machines->client, machines->inventory, &machines->holders, error);
        const gsize n = r < 0 ? 0 : g_variant_n_children(machines->holders);

        /* The first of two stays, as it is the one that the list is begun with. */
        for (gsize i = n; i > 0; i--) {
                g_autoptr(GVariant) holder = g_variant_get_child_value(machines->holders, i - 1);
                guint32 pid = 0;
                if (g_variant_lookup(holder, "Pid", "u", &pid))
                        (void) g_hash_table_replace(machines->by_pid, GUINT_TO_POINTER(pid), g_steal_pointer(&holder));
        }
        return r;
}

/* The process that has made the machine, if it is still there. */
static GVariant *find_holder(const Machines *machines, const char *process) {
        const guint64 pid = g_ascii_strtoull(process, NULL, 10);

        return pid <= G_MAXUINT32 ? g_hash_table_lookup(machines->by_pid, GUINT_TO_POINTER((guint) pid)) : NULL;
}

static const char *holder_name(GVariant *holder) {
        const char *guest = get_string(holder, "Guest");

        return *guest ? guest : get_string(holder, "Command");
}

char *machines_name(const Machines *machines, const char *machine, const char *process) {
        GVariant *holder = find_holder(machines, process);
        /* Of libvirt's guests, as of the beginning: one that was started later has a process to be
         * known by. */
        const char *guest = g_hash_table_lookup(machines->guests, machine);

        return g_strdup(guest && *guest ? guest : holder_name(holder));
}

bool machines_is_meant(const Machines *machines, const char *machine, const char *process, const char *word) {
        const size_t pid = strcspn(process, "-");
        g_autofree char *name = machines_name(machines, machine, process);

        if (!*word)
                return false;
        return g_ascii_strcasecmp(machine, word) == 0 || g_str_equal(process, word) ||
               (strlen(word) == pid && strncmp(process, word, pid) == 0) || g_str_equal(name, word);
}

const char *machines_ask_for(const Machines *machines, const char *word) {
        GHashTableIter iter;
        gpointer uuid, name;

        g_hash_table_iter_init(&iter, machines->guests);
        while (g_hash_table_iter_next(&iter, &uuid, &name))
                if (g_str_equal(name, word))
                        return uuid;
        return word;
}

void machines_add_pids(const Machines *machines, const char *name, GHashTable *pids) {
        const gsize n = machines->holders ? g_variant_n_children(machines->holders) : 0;

        for (gsize i = 0; i < n; i++) {
                g_autoptr(GVariant) holder = g_variant_get_child_value(machines->holders, i);
                guint32 pid = 0;
                if (g_str_equal(holder_name(holder), name) && g_variant_lookup(holder, "Pid", "u", &pid))
                        (void) g_hash_table_add(pids, GUINT_TO_POINTER(pid));
        }
}
