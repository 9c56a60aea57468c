/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set of pidfds, replaced by each look. It does not care what a holder does, only that it
 * ends. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "holders.h"

/* More processes than this are not watched one by one; the device's own events remain. */
#define HOLDERS_MAX 1024U

struct Holders {
        sd_event *event;
        Readings *readings;
        HolderEnded ended;
        void *userdata;
        GHashTable *sources; /* sd_event_source* of a pidfd each, a set */
        bool looking;
        bool forgotten; /* while looking: what is found is not wanted any more */
};

static void source_free(gpointer source) {
        (void) sd_event_source_disable_unref(source);
}

static GHashTable *sources_new(void) {
        return g_hash_table_new_full(NULL, NULL, source_free, NULL);
}

Holders *holders_new(sd_event *event, Readings *readings, HolderEnded ended, void *userdata) {
        Holders *holders = g_new0(Holders, 1);

        *holders = (Holders) {
                        .event = event,
                        .readings = readings,
                        .ended = ended,
                        .userdata = userdata,
                        .sources = sources_new(),
        };
        return holders;
}

void holders_free(Holders *holders) {
        if (!holders)
                return;
        g_hash_table_unref(holders->sources);
        g_free(holders);
}

void holders_forget(Holders *holders) {
        g_hash_table_remove_all(holders->sources);
        holders->forgotten = true;
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Holders *holders = userdata;

        (void) g_hash_table_remove(holders->sources, source);
        holders->ended(true, holders->userdata);
        return 0;
}

/* False when the process is gone already. */
static bool watch(Holders *holders, unsigned pid) {
        sd_event_source *source = NULL;
        int fd = (int) syscall(SYS_pidfd_open, (pid_t) pid, 0);

        if (fd < 0)
                return errno != ESRCH;
        int r = sd_event_add_io(holders->event, &source, fd, EPOLLIN, on_ended, holders);
        if (r < 0) {
                (void) close(fd);
                return true;
        }
        (void) sd_event_source_set_io_fd_own(source, true);
        (void) g_hash_table_add(holders->sources, source);
        return true;
}

typedef struct Look {
        Holders *holders;
        gint64 asked;
        GPtrArray *users;
} Look;

static void look_free(gpointer data) {
        Look *look = data;

        g_clear_pointer(&look->users, g_ptr_array_unref);
        g_free(look);
}

static void look_run(gpointer data) {
        Look *look = data;

        look->users = readings_users(look->holders->readings, look->asked);
}

static void look_done(gpointer data, gpointer userdata) {
        Look *look = data;
        Holders *holders = look->holders;
        bool gone = false;

        holders->looking = false;
        if (!holders->forgotten) {
                g_hash_table_remove_all(holders->sources);
                for (unsigned i = 0; i < MIN(look->users->len, HOLDERS_MAX); i++) {
                        const User *user = g_ptr_array_index(look->users, i);
                        gone |= !watch(holders, user->pid);
                }
        }
        look_free(look);
        if (gone)
                holders->ended(false, holders->userdata);
}

void holders_look(Holders *holders) {
        holders->forgotten = false;
        if (holders->looking)
                return;
        holders->looking = true;

        Look *look = g_new0(Look, 1);
        *look = (Look) {.holders = holders, .asked = g_get_monotonic_time()};
        worker_submit(holders->readings->worker, look_run, look_done, look_free, look, NULL);
}
