/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The composition root: it makes the parts, hands each what it needs, and takes them down again. */

#include <stdbool.h>
#include <stdint.h>

#include "hypervisor.h"
#include "loader.h"
#include "root.h"

#define DAEMON_PATIENCE_USEC (5U * 1000U * 1000U)
#define DAEMON_GUEST_PATIENCE_USEC (10U * 1000U * 1000U)

/* An ordinary user has so many entries of the journal for what is refused: log-budget.h. */
#define DAEMON_LOG_REFILL_USEC (30U * 1000U * 1000U)

typedef struct DaemonSettings {
        bool always_ask;        /* polkit decides for uid 0, too */
        bool units;             /* what must open /dev/kvm runs as a unit of systemd's, else as a plain child */
        const char *helper_dir; /* where nestvirt-device and nestvirt-probe are, for plain children */
        /* so long at most a look at whether KVM is idle is put off; then only an event leads to
         * one */
        uint64_t patience_usec;
        const char *libvirt;          /* the URI; NULL: what the configuration says, or the machine's own */
        const Hypervisor *hypervisor; /* NULL: libvirt, when there is one */
        uint64_t guest_patience_usec; /* so long at most a call about a guest waits for it */
        /* A socket, whose other end is served in the place of the system bus, until it is closed:
         * the root is read then, never changed, and not watched; its guests are those whose
         * definitions are in it. 0: there is none. */
        int peer;
        uint64_t log_refill_usec; /* after so long a user may cause one more entry of the journal */
} DaemonSettings;

/* Serves until a signal ends it or its peer leaves; the exit status. @loader stays the caller's. */
int daemon_run(const DaemonSettings *settings, Root *root, Loader *loader);
