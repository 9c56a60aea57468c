/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The order in which things are set up and taken down, and the end. Nothing is decided here. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "bus.h"
#include "daemon.h"
#include "host-retry.h"
#include "lock.h"
#include "log.h"
#include "log-change.h"
#include "methods.h"
#include "recover.h"
#include "services.h"
#include "watch.h"
#include "worker-source.h"

typedef struct Daemon {
        const DaemonSettings *settings;
        int lock; /* of the host, or -1: we may not touch it (lock.h) */
        sd_event *event;
        sd_bus *bus;
        Objects *objects;
        Watch *watch;
        HostRetry *retry;
        sd_event_source *changes_source;
        Services services;
} Daemon;

static void on_at_rest(gpointer userdata) {
        Daemon *daemon = userdata;

        /* As long as there is a bus: the dialogs that polkit shows for us go away. */
        g_clear_pointer(&daemon->services.authority, authority_free);
        (void) sd_event_exit(daemon->event, EXIT_SUCCESS);
}

/* Stopping changes nothing on the host; but a change under way is carried to its end first. */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Daemon *daemon = userdata;

        (void) sd_notify(false, "STOPPING=1");
        operation_queue_close(daemon->services.queue, on_at_rest, daemon);
        return 0;
}

/* The observers of the host's state, in their order: who is told of a change has the signals of the
 * host before those of its guests, and the end of what waited after both. */
static void publish_host(gpointer userdata) {
        const Daemon *daemon = userdata;

        objects_publish(daemon->objects, daemon->services.state->host);
}

static void on_news(gpointer userdata, const WatchHeard *heard) {
        const Daemon *daemon = userdata;

        host_state_refresh_news(daemon->services.state, heard->last, heard->cpus);
        idle_event(daemon->services.idle);
}

typedef struct Recovery {
        Daemon *daemon;
        Root *root;
        Loader *loader;
        bool may_touch;
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
        if (recovery->may_touch)
                recovery->result = recover_run(recovery->root, recovery->loader);
}

static void on_ready(gpointer userdata) {
        (void) sd_notify(false, "READY=1");
}

static int on_peer_left(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Daemon *daemon = userdata;

        operation_queue_close(daemon->services.queue, on_at_rest, daemon);
        return 1;
}

/* All is known by now that can be. */
static void begin_to_serve(gpointer userdata) {
        Daemon *daemon = userdata;
        int r = daemon->settings->peer > 0
                                ? bus_serve_peer(daemon->bus, daemon->event, daemon->objects, on_peer_left, daemon)
                                : bus_claim_name(daemon->bus, on_ready, NULL);

        if (r < 0) {
                log_error("Cannot ask for the bus name, or serve a peer: %s", strerror(-r));
                (void) sd_event_exit(daemon->event, EXIT_FAILURE);
        }
}

static void recovery_done(gpointer data, gpointer userdata) {
        Recovery *recovery = data;
        Daemon *daemon = recovery->daemon;

        if (recovery->result)
                log_recovered(recovery->result->steps, recovery->result->error);
        recovery_free(recovery);
        host_state_refresh(daemon->services.state);
        guests_begin(daemon->services.guests, begin_to_serve, daemon);
        operation_queue_end(daemon->services.queue);
}

static bool recovery_begin(gpointer data) {
        Daemon *daemon = data;
        const HostState *state = daemon->services.state;
        Recovery *recovery = g_new0(Recovery, 1);

        *recovery = (Recovery) {
                        .daemon = daemon,
                        .root = root_ref(state->root),
                        .loader = state->loader,
                        .may_touch = daemon->lock >= 0,
        };
        worker_submit(daemon->services.changes, recovery_run, recovery_done, recovery_free, recovery, NULL);
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

/* Before there is anything that others could see. */
static bool take_lock(Daemon *daemon, const Root *root) {
        g_autoptr(GError) error = NULL;

        /* Who only reads is in nobody's way. */
        daemon->lock = daemon->settings->peer > 0 ? -1 : lock_take(root, &error);
        if (error)
                log_error("%s", error->message);
        return !error;
}

static int connect_out(Daemon *daemon) {
        if (daemon->settings->peer > 0)
                return bus_open_peer(daemon->settings->peer, &daemon->bus);
        int r = bus_open(daemon->event, daemon->objects, &daemon->bus);
        return r < 0 ? r : log_control_register(daemon->bus);
}

/* What there is without a bus; then the bus, with all that is published by then. */
static int set_up_ground(Daemon *daemon, Root *root, Loader *loader) {
        Services *services = &daemon->services;
        int r = set_up_event(daemon);

        if (r >= 0)
                r = worker_source_add(daemon->event, "changes", &services->changes, &daemon->changes_source);
        if (r >= 0)
                services->readings = readings_new(daemon->event, root, &r);
        if (r < 0)
                return r;

        daemon->objects = objects_new(interfaces, services);
        services->calls = calls_new();
        services->endings = endings_new(daemon->event);
        services->findings = findings_new();
        services->fingerprints = fingerprints_new();
        services->queue = operation_queue_new(daemon->event);
        services->log_budget = log_budget_new(daemon->event, daemon->settings->log_refill_usec, log_left_out);
        services->pieces = pieces_new(daemon->event);
        if (!services->queue || !services->log_budget || !services->pieces)
                return -ENOMEM;
        services->state = host_state_new(root, loader);
        publish_host(daemon);
        host_state_observe(services->state, publish_host, daemon);
        r = connect_out(daemon);
        if (r < 0)
                log_error("Cannot reach the %s: %s", daemon->settings->peer > 0 ? "peer" : "system bus", strerror(-r));
        return r;
}

static Idle *make_idle(const Daemon *daemon) {
        const Services *services = &daemon->services;
        const IdleParts parts = {
                        .event = daemon->event,
                        .bus = daemon->bus,
                        .state = services->state,
                        .queue = services->queue,
                        .changes = services->changes,
                        .readings = services->readings,
                        .patience_usec = daemon->settings->patience_usec,
        };

        return idle_new(&parts);
}

static Guests *make_guests(const Daemon *daemon, int *ret_error) {
        const Services *services = &daemon->services;
        const GuestsParts parts = {
                        .event = daemon->event,
                        .state = services->state,
                        .objects = daemon->objects,
                        .queue = services->queue,
                        .pieces = services->pieces,
                        .uri = daemon->settings->libvirt,
                        .hypervisor = daemon->settings->hypervisor,
                        .patience_usec = daemon->settings->guest_patience_usec,
                        .may_record = daemon->lock >= 0,
                        .from_files = daemon->settings->peer > 0,
        };

        return guests_new(&parts, ret_error);
}

static int set_up_watch(Daemon *daemon) {
        HostState *state = daemon->services.state;
        int r = 0;

        daemon->watch = watch_new(daemon->event, state->root, daemon->services.queue, on_news, daemon, &r);
        if (!daemon->watch)
                return r;
        host_state_begin_with(state, watch_arm, daemon->watch);
        daemon->retry = host_retry_new(daemon->event, state, watch_look, daemon->watch, &r);
        if (!daemon->retry)
                return r;
        host_state_observe(state, host_retry_update, daemon->retry);
        return 0;
}

static int set_up_services(Daemon *daemon) {
        const char *folder = daemon->settings->units ? NULL : daemon->settings->helper_dir;
        Services *services = &daemon->services;
        HostState *state = services->state;
        Helper *helper = helper_new(daemon->event, daemon->bus, folder);
        int r = 0;

        services->authority = authority_new(daemon->bus, daemon->settings->always_ask);
        services->device = helper ? device_new(state, helper) : NULL;
        services->idle = make_idle(daemon);
        services->prober = helper_new(daemon->event, daemon->bus, folder);
        if (!services->device || !services->idle || !services->prober)
                return -ENOMEM;
        services->guests = make_guests(daemon, &r);
        if (!services->guests)
                return r;
        host_state_observe(state, guests_judge, services->guests);
        host_state_observe(state, idle_update, services->idle);
        return daemon->settings->peer > 0 ? 0 : set_up_watch(daemon);
}

/* The bus goes last, so that whoever still waits hears of it from the bus; what a worker does is
 * waited for. */
static void take_down(Daemon *daemon) {
        Services *services = &daemon->services;

        host_retry_free(daemon->retry);
        if (services->state)
                host_state_begin_with(services->state, NULL, NULL);
        watch_free(daemon->watch);
        if (services->calls)
                calls_close(services->calls);
        /* While those are there whose turns are dropped. */
        operation_queue_free(services->queue);
        guests_free(services->guests);
        (void) sd_event_source_disable_unref(daemon->changes_source);
        g_clear_pointer(&services->changes, worker_free);
        readings_free(services->readings);
        pieces_free(services->pieces);
        authority_free(services->authority);
        endings_free(services->endings);
        idle_free(services->idle);
        device_free(services->device);
        helper_free(services->prober);
        sd_bus_flush_close_unref(daemon->bus);
        objects_free(daemon->objects);
        calls_free(services->calls);
        findings_free(services->findings);
        fingerprints_free(services->fingerprints);
        log_budget_free(services->log_budget);
        host_state_free(services->state);
        sd_event_unref(daemon->event);
        if (daemon->lock >= 0)
                (void) close(daemon->lock);
}

int daemon_run(const DaemonSettings *settings, Root *root, Loader *loader) {
        Daemon daemon = {.settings = settings};
        int status = EXIT_FAILURE;

        if (!take_lock(&daemon, root))
                return EXIT_FAILURE;
        int r = set_up_ground(&daemon, root, loader);
        if (r >= 0)
                r = set_up_services(&daemon);
        if (r >= 0) {
                operation_queue_ask(daemon.services.queue, 0, recovery_begin, recovery_dropped, &daemon);
                status = sd_event_loop(daemon.event);
        } else
                log_error("Cannot start: %s", strerror(-r));
        take_down(&daemon);
        return status < 0 ? EXIT_FAILURE : status;
}
