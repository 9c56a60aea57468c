/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set under a mutex, and an eventfd that says that it is not empty. */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest-events.h"

struct GuestEvents {
        pthread_mutex_t mutex; /* not GLib's: see worker.c */
        GHashTable *uuids;     /* a set, under the mutex */
        bool lost;             /* under the mutex */
        int fd;
};

GuestEvents *guest_events_new(int *ret_error) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (fd < 0) {
                *ret_error = -errno;
                return NULL;
        }
        GuestEvents *events = g_new0(GuestEvents, 1);
        (void) pthread_mutex_init(&events->mutex, NULL);
        events->uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        events->fd = fd;
        return events;
}

void guest_events_free(GuestEvents *events) {
        if (!events)
                return;
        (void) pthread_mutex_destroy(&events->mutex);
        g_hash_table_unref(events->uuids);
        (void) close(events->fd);
        g_free(events);
}

int guest_events_fd(const GuestEvents *events) {
        return events->fd;
}

void guest_events_put(const char *uuid, gpointer data) {
        GuestEvents *events = data;
        const uint64_t one = 1;

        (void) pthread_mutex_lock(&events->mutex);
        if (uuid)
                (void) g_hash_table_add(events->uuids, g_strdup(uuid));
        else
                events->lost = true;
        (void) pthread_mutex_unlock(&events->mutex);
        /* EAGAIN: the counter is full, so the loop is to be woken already. */
        if (write(events->fd, &one, sizeof one) < 0 && errno != EAGAIN)
                g_error("Cannot wake the loop: %s", g_strerror(errno));
}

GPtrArray *guest_events_take(GuestEvents *events, bool *ret_lost) {
        GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
        GHashTableIter iter;
        gpointer uuid;
        uint64_t count;

        if (read(events->fd, &count, sizeof count) < 0 && errno != EAGAIN)
                g_error("Cannot read the eventfd of the guests' events: %s", g_strerror(errno));
        (void) pthread_mutex_lock(&events->mutex);
        *ret_lost = events->lost;
        events->lost = false;
        g_hash_table_iter_init(&iter, events->uuids);
        while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
                g_hash_table_iter_steal(&iter);
                g_ptr_array_add(uuids, uuid);
        }
        (void) pthread_mutex_unlock(&events->mutex);
        return uuids;
}
