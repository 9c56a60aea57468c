/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keeps what the daemon says of KVM's users. It must not know what is done with a machine. */

#include <string.h>

#include "guest-list.h"
#include "holders.h"
#include "machines.h"

struct Machines {
        Client *client;
        Inventory *inventory;
        GHashTable *guests; /* UUID -> name */
        Value *holders;     /* a list, or NULL */
        GHashTable *by_pid; /* PID -> const Value* in it */
};

static void name_guest(const GuestRow *row, gpointer guests) {
        if (g_str_has_prefix(row->path, PATH_GUEST_PREFIX "/"))
                (void) g_hash_table_insert(guests, g_strdelimit(g_strdup(strrchr(row->path, '/') + 1), "_", '-'),
                                           g_strdup(row->name));
}

/* Where it can't be told, each has what its process says. */
static void name_guests(Machines *machines) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *listed = NULL;
        guint64 omitted;

        if (guest_list_ask(machines->client, CALL_GLANCE, &listed, &error) >= 0)
                (void) guest_list_read(listed, name_guest, machines->guests, &omitted);
}

int machines_new(Client *client, Machines **ret, sd_bus_error *error) {
        g_autoptr(Machines) machines = g_new0(Machines, 1);

        machines->client = client;
        machines->guests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        machines->by_pid = g_hash_table_new(NULL, NULL);
        int r = inventory_fetch(client, &machines->inventory, error);
        if (r < 0)
                return r;
        name_guests(machines);
        *ret = g_steal_pointer(&machines);
        return 0;
}

void machines_free(Machines *machines) {
        if (!machines)
                return;
        g_hash_table_unref(machines->guests);
        g_hash_table_unref(machines->by_pid);
        g_clear_pointer(&machines->inventory, inventory_free);
        g_clear_pointer(&machines->holders, value_free);
        g_free(machines);
}

int machines_look(Machines *machines, sd_bus_error *error) {
        g_hash_table_remove_all(machines->by_pid);
        g_clear_pointer(&machines->holders, value_free);
        int r = holders_fetch(machines->client, machines->inventory, &machines->holders, error);
        const guint32 n = r < 0 ? 0 : value_length(machines->holders);

        /* The first of two stays, as it is the one that the list is begun with. */
        for (guint32 i = n; i > 0; i--) {
                const Value *holder = value_at(machines->holders, i - 1);
                guint64 pid;
                if (get_number(holder, "Pid", &pid) && pid <= G_MAXUINT32)
                        (void) g_hash_table_replace(machines->by_pid, GUINT_TO_POINTER((guint) pid), (gpointer) holder);
        }
        return r;
}

/* The process that has made the machine, if it is still there. */
static const Value *find_holder(const Machines *machines, const char *process) {
        const guint64 pid = g_ascii_strtoull(process, NULL, 10);

        return pid <= G_MAXUINT32 ? g_hash_table_lookup(machines->by_pid, GUINT_TO_POINTER((guint) pid)) : NULL;
}

static const char *holder_name(const Value *holder) {
        const char *guest = get_string(holder, "Guest");

        return *guest ? guest : get_string(holder, "Command");
}

char *machines_name(const Machines *machines, const char *machine, const char *process) {
        const Value *holder = find_holder(machines, process);
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
        const guint32 n = machines->holders ? value_length(machines->holders) : 0;

        for (guint32 i = 0; i < n; i++) {
                const Value *holder = value_at(machines->holders, i);
                guint64 pid;
                if (g_str_equal(holder_name(holder), name) && get_number(holder, "Pid", &pid))
                        (void) g_hash_table_add(pids, GUINT_TO_POINTER((guint) pid));
        }
}
