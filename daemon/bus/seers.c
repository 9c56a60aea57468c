/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set of names on the bus. Who may be in it, the authority says. */

#include "seers.h"

struct Seers {
        GHashTable *all; /* unique name -> Seer*, whose it is */
};

typedef struct Seer {
        Seers *seers;
        Caller caller;
} Seer;

static void seer_free(gpointer data) {
        Seer *seer = data;

        caller_release(&seer->caller);
        caller_clear(&seer->caller);
        g_free(seer);
}

Seers *seers_new(void) {
        Seers *seers = g_new(Seers, 1);

        seers->all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, seer_free);
        return seers;
}

void seers_free(Seers *seers) {
        if (!seers)
                return;
        g_hash_table_unref(seers->all);
        g_free(seers);
}

static void on_left(void *userdata) {
        Seer *seer = userdata;

        (void) g_hash_table_remove(seer->seers->all, seer->caller.sender);
}

void seers_add(Seers *seers, const Caller *caller) {
        if (g_hash_table_contains(seers->all, caller->sender) || caller_is_gone(caller))
                return;

        Seer *seer = g_new(Seer, 1);
        *seer = (Seer) {.seers = seers, .caller = caller_copy(caller)};
        caller_notify(&seer->caller, on_left, seer);
        (void) g_hash_table_insert(seers->all, seer->caller.sender, seer);
}

bool seers_have(const Seers *seers, sd_bus *bus) {
        sd_bus_message *message = sd_bus_get_current_message(bus);
        const char *sender = message ? sd_bus_message_get_sender(message) : NULL;

        return sender && g_hash_table_contains(seers->all, sender);
}
