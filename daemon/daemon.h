/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one object that everything on the loop hangs on: the snapshot of the host, what is published
 * of it, the bus, the workers, and who may touch the host next. It owns them; it knows no method,
 * no signal and no property. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "host.h"
#include "hypervisor.h"
#include "loader.h"
#include "root.h"
#include "turns.h"
#include "users.h"
#include "worker.h"

#define _cleanup_(function) __attribute__((cleanup(function)))

typedef struct Authority Authority;
typedef struct Device Device;
typedef struct Guests Guests;
typedef struct Helper Helper;
typedef struct Idle Idle;
typedef struct Watch Watch;

#define DAEMON_PATIENCE_USEC (5U * 1000U * 1000U)
#define DAEMON_GUEST_PATIENCE_USEC (10U * 1000U * 1000U)

typedef struct DaemonSettings {
        bool always_ask;        /* polkit decides for uid 0, too */
        bool units;             /* what must open /dev/kvm runs as a unit of systemd's, else as a plain child */
        const char *helper_dir; /* where nestvirt-device and nestvirt-probe are, for plain children */
        uint64_t patience_usec; /* so long at most a look at whether KVM is idle is put off; then only an event leads to one */
        const char *libvirt;          /* the URI; NULL: what the configuration says, or the machine's own */
        const Hypervisor *hypervisor; /* NULL: libvirt, when there is one */
        uint64_t guest_patience_usec; /* so long at most a call about a guest waits for it */
} DaemonSettings;

typedef struct Daemon {
        const DaemonSettings *settings;
        Root *root;
        Loader *loader;
        int lock; /* of the host, or -1: we may not touch it (lock.h) */
        sd_event *event;
        sd_bus *bus;

        Host *host;          /* the snapshot: replaced whole by daemon_refresh(), never modified */
        GHashTable *objects; /* path -> Object*: what is published of it (object.h) */
        GHashTable *callers; /* sender -> number of its calls under way (call.h) */
        GQueue refreshes;    /* Call*: those that wait for the same refresh */
        uint64_t refreshed;  /* the loop's iteration of the last one */

        Worker *changes; /* changes to the host, one after the other */
        Worker *reads;   /* readings that take a while, so that they are answered during a change */
        UsersScan *scan; /* the readings' alone */
        Turns *turns;    /* who may touch the host next */

        Authority *authority;
        Watch *watch;
        Idle *idle;
        Device *device;
        Helper *prober; /* runs nestvirt-probe */
        Guests *guests;
} Daemon;

/* Reads the host again, publishes what differs, and lets what waits for idle look at it. Every path
 * that may have changed anything ends here: start-up, methods, events, finished changes. It must
 * not be called from within itself. */
void daemon_refresh(Daemon *daemon);
/* The same, but once in an iteration of the loop: for many who are answered together. */
void daemon_refresh_once(Daemon *daemon);

/* A worker whose results come back on this loop; a negative errno on failure. @ret_source may be
 * NULL: then it lives as long as the loop. */
int daemon_add_worker(const Daemon *daemon, const char *name, Worker **ret, sd_event_source **ret_source);

/* Serves until a signal ends it; the exit status. @loader stays the caller's. */
int daemon_run(const DaemonSettings *settings, Root *root, Loader *loader);
