/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers under a mutex. It asks libvirt nothing. */

#include <pthread.h>

#include "libvirt-own.h"

struct LibvirtOwn {
        pthread_mutex_t mutex; /* not GLib's: see worker.c */
        GHashTable *expected;  /* UUID -> number, under the mutex */
};

LibvirtOwn *libvirt_own_new(void) {
        LibvirtOwn *own = g_new0(LibvirtOwn, 1);

        (void) pthread_mutex_init(&own->mutex, NULL);
        own->expected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        return own;
}

void libvirt_own_free(LibvirtOwn *own) {
        if (!own)
                return;
        g_hash_table_unref(own->expected);
        (void) pthread_mutex_destroy(&own->mutex);
        g_free(own);
}

/* Under the mutex. */
static unsigned number_of(const LibvirtOwn *own, const char *uuid) {
        gconstpointer number = g_hash_table_lookup(own->expected, uuid);

        return GPOINTER_TO_UINT(number);
}

static void set_number(const LibvirtOwn *own, const char *uuid, unsigned number) {
        if (number == 0)
                (void) g_hash_table_remove(own->expected, uuid);
        else
                (void) g_hash_table_insert(own->expected, g_strdup(uuid), GUINT_TO_POINTER(number));
}

void libvirt_own_expect(LibvirtOwn *own, const char *uuid) {
        (void) pthread_mutex_lock(&own->mutex);
        set_number(own, uuid, number_of(own, uuid) + 1);
        (void) pthread_mutex_unlock(&own->mutex);
}

bool libvirt_own_take(LibvirtOwn *own, const char *uuid) {
        (void) pthread_mutex_lock(&own->mutex);
        const unsigned number = number_of(own, uuid);
        if (number > 0)
                set_number(own, uuid, number - 1);
        (void) pthread_mutex_unlock(&own->mutex);
        return number > 0;
}

void libvirt_own_forget(LibvirtOwn *own, const char *uuid) {
        (void) pthread_mutex_lock(&own->mutex);
        set_number(own, uuid, 0);
        (void) pthread_mutex_unlock(&own->mutex);
}
