/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set under a mutex, and an eventfd that says that it is not empty. */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest-inbox.h"

struct GuestInbox {
        pthread_mutex_t mutex; /* not GLib's: see worker.c */
        GHashTable *uuids;     /* a set, under the mutex */
        bool lost;             /* under the mutex */
        int fd;
};

GuestInbox *guest_inbox_new(int *ret_error) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0) {
                *ret_error = -errno;
                return NULL;
        }
        GuestInbox *inbox = g_new0(GuestInbox, 1);
        (void) pthread_mutex_init(&inbox->mutex, NULL);
        inbox->uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        inbox->fd = fd;
        return inbox;
}

void guest_inbox_free(GuestInbox *inbox) {
        if (!inbox)
                return;
        (void) pthread_mutex_destroy(&inbox->mutex);
        g_hash_table_unref(inbox->uuids);
        (void) close(inbox->fd);
        g_free(inbox);
}

int guest_inbox_fd(const GuestInbox *inbox) {
        return inbox->fd;
}

void guest_inbox_put(const char *uuid, gpointer data) {
        GuestInbox *inbox = data;
        const uint64_t one = 1;

        (void) pthread_mutex_lock(&inbox->mutex);
        if (uuid)
                (void) g_hash_table_add(inbox->uuids, g_strdup(uuid));
        else
                inbox->lost = true;
        (void) pthread_mutex_unlock(&inbox->mutex);
        /* EAGAIN: the counter is full, so the loop is to be woken already. */
        if (write(inbox->fd, &one, sizeof one) < 0 && errno != EAGAIN)
                g_error("Cannot wake the loop: %s", g_strerror(errno));
}

GPtrArray *guest_inbox_take(GuestInbox *inbox, bool *ret_lost) {
        GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iter;
        gpointer uuid;
        uint64_t count;

        if (read(inbox->fd, &count, sizeof count) < 0 && errno != EAGAIN)
                g_error("Cannot read the inbox's eventfd: %s", g_strerror(errno));
        (void) pthread_mutex_lock(&inbox->mutex);
        *ret_lost = inbox->lost;
        inbox->lost = false;
        g_hash_table_iter_init(&iter, inbox->uuids);
        while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
                g_hash_table_iter_steal(&iter);
                g_ptr_array_add(uuids, uuid);
        }
        (void) pthread_mutex_unlock(&inbox->mutex);
        return uuids;
}
