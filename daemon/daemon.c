/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The refresh, the order in which things are set up and taken down, and the end. */

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "authority.h"
#include "bus.h"
#include "device.h"
#include "guests.h"
#include "helper.h"
#include "idle.h"
#include "lock.h"
#include "log-change.h"
#include "log.h"
#include "object.h"
#include "recover.h"
#include "watch.h"

void daemon_refresh(Daemon *daemon) {
        Host *before = g_steal_pointer(&daemon->host);

        daemon->host = host_read(daemon->root, daemon->loader);
        objects_publish(daemon);
        guests_judge(daemon->guests);
        idle_update(daemon->idle);
        host_free(before);
        (void) malloc_trim(0); /* reading takes ten times the memory of what was read */
        (void) sd_event_get_iteration(daemon->event, &daemon->refreshed);
}

void daemon_refresh_once(Daemon *daemon) {
        uint64_t now = 0;

        if (sd_event_get_iteration(daemon->event, &now) < 0 || now != daemon->refreshed)
                daemon_refresh(daemon);
}

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        worker_dispatch(userdata);
        return 0;
}

static void on_at_rest(gpointer userdata) {
        Daemon *daemon = userdata;

        /* As long as there is a bus: the dialogs that polkit shows for us go away. */
        g_clear_pointer(&daemon->authority, authority_free);
        (void) sd_event_exit(daemon->event, EXIT_SUCCESS);
}

/* Stopping changes nothing on the host; but a change under way is carried to its end first. */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Daemon *daemon = userdata;

        (void) sd_notify(false, "STOPPING=1");
        turns_close(daemon->turns, on_at_rest, daemon);
        return 0;
}

typedef struct Recovery {
        Daemon *daemon;
        Root *root;
        ChangeResult *result; /* NULL: there was nothing */
} Recovery;

static void recovery_free(gpointer data) {
        Recovery *recovery = data;

        root_unref(recovery->root);
        g_clear_pointer(&recovery->result, change_result_free);
        g_free(recovery);
}

static void recovery_run(gpointer data) {
        Recovery *recovery = data;

        /* Who has no right to the lock can't tell a change that was cut short from one under
         * way. */
        if (recovery->daemon->lock >= 0)
                recovery->result = recover_run(recovery->root, recovery->daemon->loader);
}

static void on_ready(Daemon *daemon) {
        (void) sd_notify(false, "READY=1");
}

static void claim_name(Daemon *daemon) {
        int r = bus_claim_name(daemon, on_ready);

        if (r < 0) {
                log_error("Cannot ask for the bus name: %s", strerror(-r));
                (void) sd_event_exit(daemon->event, EXIT_FAILURE);
        }
}

static void recovery_done(gpointer data, gpointer userdata) {
        Recovery *recovery = data;
        Daemon *daemon = recovery->daemon;

        if (recovery->result)
                log_recovered(recovery->result->steps, recovery->result->error);
        recovery_free(recovery);
        daemon_refresh(daemon);
        guests_begin(daemon->guests, claim_name);
        turns_end(daemon->turns);
}

static bool recovery_begin(gpointer data) {
        Daemon *daemon = data;
        Recovery *recovery = g_new0(Recovery, 1);

        *recovery = (Recovery) {.daemon = daemon, .root = root_ref(daemon->root)};
        worker_submit(daemon->changes, recovery_run, recovery_done, recovery_free, recovery, NULL);
        return true;
}

static void recovery_dropped(gpointer data) {
}

static int set_up_event(Daemon *daemon) {
        static const int ends[] = {SIGTERM, SIGINT};
        sigset_t blocked;
        int r;

        /* Before there is any thread: they inherit it. SIGCHLD: for the children's event
         * sources. */
        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&blocked);
        (void) sigaddset(&blocked, SIGTERM);
        (void) sigaddset(&blocked, SIGINT);
        (void) sigaddset(&blocked, SIGCHLD);
        r = -pthread_sigmask(SIG_BLOCK, &blocked, NULL);
        if (r < 0)
                return r;

        r = sd_event_default(&daemon->event);
        for (unsigned i = 0; r >= 0 && i < G_N_ELEMENTS(ends); i++)
                r = sd_event_add_signal(daemon->event, NULL, ends[i], on_signal, daemon);
        return r < 0 ? r : sd_event_set_watchdog(daemon->event, true);
}

int daemon_add_worker(const Daemon *daemon, const char *name, Worker **ret, sd_event_source **ret_source) {
        g_autoptr(GError) error = NULL;

        *ret = worker_new(name, &error);
        if (!*ret) {
                log_error("%s", error->message);
                return -EAGAIN;
        }
        return sd_event_add_io(daemon->event, ret_source, worker_fd(*ret), EPOLLIN, on_worker, *ret);
}

/* Before there is anything that others could see. */
static bool take_lock(Daemon *daemon) {
        g_autoptr(GError) error = NULL;

        daemon->lock = lock_take(daemon->root, &error);
        if (error)
                log_error("%s", error->message);
        return !error;
}

static int set_up(Daemon *daemon) {
        int r = set_up_event(daemon);
        if (r < 0)
                return r;
        r = daemon_add_worker(daemon, "changes", &daemon->changes, NULL);
        if (r < 0)
                return r;
        r = daemon_add_worker(daemon, "reads", &daemon->reads, NULL);
        if (r < 0)
                return r;

        daemon->objects = objects_new();
        daemon->callers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_queue_init(&daemon->refreshes);
        daemon->turns = turns_new(daemon->event);
        if (!daemon->turns)
                return -ENOMEM;
        daemon->host = host_read(daemon->root, daemon->loader);
        objects_publish(daemon);
        r = bus_open(daemon);
        if (r < 0) {
                log_error("Cannot reach the system bus: %s", strerror(-r));
                return r;
        }

        daemon->authority = authority_new(daemon);
        daemon->device = device_new(daemon);
        daemon->idle = idle_new(daemon);
        daemon->prober = helper_new(daemon);
        if (!daemon->device || !daemon->idle || !daemon->prober)
                return -ENOMEM;
        daemon->guests = guests_new(daemon, &r);
        if (!daemon->guests)
                return r;
        daemon->watch = watch_new(daemon, &r);
        return daemon->watch ? 0 : r;
}

/* The bus goes last, so that whoever still waits hears of it from the bus; what a worker does is
 * waited for. */
static void take_down(Daemon *daemon) {
        watch_free(daemon->watch);
        guests_free(daemon->guests);
        g_clear_pointer(&daemon->changes, worker_free);
        g_clear_pointer(&daemon->reads, worker_free);
        g_clear_pointer(&daemon->scan->users, g_ptr_array_unref);
        authority_free(daemon->authority);
        turns_free(daemon->turns);
        idle_free(daemon->idle);
        device_free(daemon->device);
        helper_free(daemon->prober);
        sd_bus_flush_close_unref(daemon->bus);
        g_clear_pointer(&daemon->objects, g_hash_table_unref);
        g_clear_pointer(&daemon->callers, g_hash_table_unref);
        host_free(daemon->host);
        sd_event_unref(daemon->event);
        if (daemon->lock >= 0)
                (void) close(daemon->lock);
}

int daemon_run(const DaemonSettings *settings, Root *root, Loader *loader) {
        UsersScan scan = {};
        Daemon daemon = {.settings = settings, .root = root, .loader = loader, .scan = &scan};
        int status = EXIT_FAILURE;

        if (!take_lock(&daemon))
                return EXIT_FAILURE;
        int r = set_up(&daemon);
        if (r >= 0) {
                turns_ask(daemon.turns, recovery_begin, recovery_dropped, &daemon);
                status = sd_event_loop(daemon.event);
        } else
                log_error("Cannot start: %s", strerror(-r));
        take_down(&daemon);
        return status < 0 ? EXIT_FAILURE : status;
}
