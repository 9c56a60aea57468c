/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A table by name, a question each, and those without calls in the order in which they were last
 * used. Who waits, and for what, is call.c's. */

#include <errno.h>
#include <unistd.h>

#include "caller.h"
#include "names.h"
#include "sender.h"

struct Senders {
        GHashTable *all; /* name on the bus -> Sender*, whose it is */
        GQueue kept;     /* Sender*: those that have no calls under way, the last one first */
        SenderKnown known;
};

static void sender_free(gpointer data) {
        Sender *sender = data;

        sd_bus_slot_unref(sender->question);
        g_queue_clear(&sender->waiting);
        g_free(sender->name);
        g_free(sender);
}

Senders *senders_new(SenderKnown known) {
        Senders *senders = g_new(Senders, 1);

        *senders = (Senders) {
                        .all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, sender_free),
                        .known = known,
        };
        g_queue_init(&senders->kept);
        return senders;
}

void senders_free(Senders *senders) {
        /* What is kept are the senders themselves. */
        g_hash_table_unref(senders->all);
        g_free(senders);
}

Sender *sender_take(Senders *senders, sd_bus_message *message) {
        /* A bus puts a name on all that it brings. Without one it is our peer's, which was given
         * its end of the socket by who started us. */
        const char *bus_name = sd_bus_message_get_sender(message), *name = bus_name ?: "";
        Sender *sender = g_hash_table_lookup(senders->all, name);

        if (!sender) {
                sender = g_new(Sender, 1);
                *sender = (Sender) {
                                .senders = senders,
                                .name = g_strdup(name),
                                .place = {.data = sender},
                                .known = !bus_name,
                                .uid = geteuid(),
                };
                g_queue_init(&sender->waiting);
                (void) g_hash_table_insert(senders->all, sender->name, sender);
        } else if (sender->calls == 0)
                g_queue_unlink(&senders->kept, &sender->place);
        sender->calls++;
        return sender;
}

void sender_release(Sender *sender) {
        Senders *senders = sender->senders;

        if (--sender->calls > 0)
                return;
        if (!sender->known) {
                (void) g_hash_table_remove(senders->all, sender->name);
                return;
        }
        g_queue_push_head_link(&senders->kept, &sender->place);
        if (senders->kept.length <= SENDERS_KEPT)
                return;
        const Sender *last = g_queue_pop_tail_link(&senders->kept)->data;
        (void) g_hash_table_remove(senders->all, last->name);
}

static int on_user(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        Sender *sender = userdata;
        const sd_bus_error *failed = sd_bus_message_get_error(reply);
        Caller caller = {};
        int r;

        sender->question = sd_bus_slot_unref(sender->question);
        if (failed)
                r = sd_bus_error_has_name(failed, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ? -ESRCH
                                                                                  : -sd_bus_error_get_errno(failed);
        else
                r = caller_read(&caller, reply);
        if (!failed && r >= 0) {
                sender->uid = caller.uid;
                sender->pid = caller.pid;
                sender->known = true;
        }
        sender->calls++; /* those that wait may all be answered by this */
        sender->senders->known(sender, sender->known ? 0 : r < 0 ? r : -EIO);
        sender_release(sender);
        return 1;
}

int sender_ask(Sender *sender, sd_bus *bus) {
        return sender->question ? 0
                                : sd_bus_call_method_async(bus, &sender->question, DBUS_NAME, DBUS_PATH, DBUS_NAME,
                                                           "GetConnectionCredentials", on_user, sender, "s",
                                                           sender->name);
}

Sender *senders_unknown(const Senders *senders) {
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, senders->all);
        while (g_hash_table_iter_next(&i, NULL, &value))
                if (!g_queue_is_empty(&((Sender *) value)->waiting))
                        return value;
        return NULL;
}
