/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A set of pidfds, replaced by each look. It does not care what a holder does, only that it
 * ends. */

#include <errno.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pidfds.h"

/* Of more holders the first ones are watched: each that ends leads to a look, which finds others.
 * They never take more than half of the descriptors that we may have (nestvirtd.service has
 * LimitNOFILE=4096), since the daemon has to read files meanwhile. */
#define PIDFDS_MAX 1024U

struct Pidfds {
        sd_event *event;
        Readings *readings;
        PidfdEnded ended;
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

Pidfds *pidfds_new(sd_event *event, Readings *readings, PidfdEnded ended, void *userdata) {
        Pidfds *pidfds = g_new0(Pidfds, 1);

        *pidfds = (Pidfds) {
                        .event = event,
                        .readings = readings,
                        .ended = ended,
                        .userdata = userdata,
                        .sources = sources_new(),
        };
        return pidfds;
}

void pidfds_free(Pidfds *pidfds) {
        if (!pidfds)
                return;
        g_hash_table_unref(pidfds->sources);
        g_free(pidfds);
}

void pidfds_forget(Pidfds *pidfds) {
        g_hash_table_remove_all(pidfds->sources);
        pidfds->forgotten = true;
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Pidfds *pidfds = userdata;

        (void) g_hash_table_remove(pidfds->sources, source);
        pidfds->ended(true, pidfds->userdata);
        return 0;
}

unsigned pidfds_max(void) {
        struct rlimit limit;

        return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? PIDFDS_MAX : (unsigned) MIN(limit.rlim_cur / 2, PIDFDS_MAX);
}

int pidfds_add(sd_event *event, unsigned pid, sd_event_io_handler_t ended, void *userdata, sd_event_source **ret) {
        int fd = (int) syscall(SYS_pidfd_open, (pid_t) pid, 0);

        if (fd < 0)
                return -errno;
        int r = sd_event_add_io(event, ret, fd, EPOLLIN, ended, userdata);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        (void) sd_event_source_set_io_fd_own(*ret, true);
        return 0;
}

/* False when the process is gone already, or can't be watched for want of descriptors or memory:
 * there is no event of it to wait for. */
static bool watch(Pidfds *pidfds, unsigned pid) {
        sd_event_source *source = NULL;
        int r = pidfds_add(pidfds->event, pid, on_ended, pidfds, &source);

        if (r >= 0)
                (void) g_hash_table_add(pidfds->sources, source);
        return r != -ESRCH && r != -EMFILE && r != -ENFILE && r != -ENOMEM;
}

typedef struct Look {
        Pidfds *pidfds;
        gint64 asked;
        Users *users;
} Look;

static void look_free(gpointer data) {
        Look *look = data;

        g_clear_pointer(&look->users, users_unref);
        g_free(look);
}

static void look_run(gpointer data) {
        Look *look = data;

        look->users = readings_users(look->pidfds->readings, look->asked);
}

static void look_done(gpointer data, gpointer userdata) {
        Look *look = data;
        Pidfds *pidfds = look->pidfds;
        const unsigned n = MIN(look->users->holders->len, pidfds_max());
        bool gone = false;

        pidfds->looking = false;
        if (!pidfds->forgotten) {
                g_hash_table_remove_all(pidfds->sources);
                for (unsigned i = 0; i < n; i++) {
                        const User *user = g_ptr_array_index(look->users->holders, i);
                        gone |= !watch(pidfds, user->pid);
                }
        }
        look_free(look);
        if (gone)
                pidfds->ended(false, pidfds->userdata);
}

void pidfds_look(Pidfds *pidfds) {
        pidfds->forgotten = false;
        if (pidfds->looking)
                return;
        pidfds->looking = true;

        Look *look = g_new0(Look, 1);
        *look = (Look) {.pidfds = pidfds, .asked = g_get_monotonic_time()};
        worker_submit(pidfds->readings->scans, look_run, look_done, look_free, look, NULL);
}
