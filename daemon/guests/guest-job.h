/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is asked of the hypervisor, off the loop, as it may block: a job with all that it needs, and
 * what came of it. */

#include "passing.h"
#include "reprobe.h"

typedef enum GuestJobKind {
        GUEST_JOB_CONNECT, /* drop @connection, make another, list */
        GUEST_JOB_LIST,
        GUEST_JOB_FIND,
        GUEST_JOB_SURVEY,
        GUEST_JOB_PLAN,
        GUEST_JOB_EDIT, /* plan and define in one */
        GUEST_JOB_DEFINE,
        GUEST_JOB_REPROBE,
        GUEST_JOB_CLOSE,
        /* these may hang with one guest's QEMU, and have a thread and a connection of their own */
        GUEST_JOB_STATISTICS,
        GUEST_JOB_COUNT,
        GUEST_JOB_CLOSE_SECOND,
        GUEST_JOB_KINDS
} GuestJobKind;

typedef enum GuestJobStage {
        GUEST_JOB_WAITS = 0,
        GUEST_JOB_BEGUN,     /* what would change something, and may have done so by now */
        GUEST_JOB_CANCELLED, /* what has not begun does not begin any more, and what takes long ends sooner */
} GuestJobStage;

typedef struct GuestJob {
        GuestJobKind kind;
        const Hypervisor *hypervisor; /* NULL: to be loaded */
        gpointer connection;          /* may be NULL for CONNECT; what is open when it has run */
        char *uri;                    /* of CONNECT and REPROBE */
        HypervisorEvent event;        /* of CONNECT */
        gpointer userdata;            /* its */
        char *vendor;
        GPtrArray *names;   /* char*, of FIND: names or UUIDs; of PLAN, EDIT, DEFINE, COUNT and STATISTICS: UUIDs, for
                             * the latter all when there are none */
        bool all;           /* of FIND: it is what a SURVEY has left to be read */
        GuestEdit *edit;    /* of PLAN and EDIT */
        bool bare;          /* likewise: as of a GuestOrder */
        GuestPlan *plan;    /* of DEFINE; what comes of PLAN and EDIT; and of STATISTICS: what waits for it */
        GHashTable *guests; /* of STATISTICS: a set of the UUIDs of those that run on KVM, never written to */
        Root *root;         /* of CONNECT, REPROBE and STATISTICS */
        char *before, *now; /* likewise: fixed-values.h */
        bool compare;       /* of REPROBE: guests' CPUs are to be compared anew, also when nothing else is done */
        int stage;          /* a GuestJobStage, read and written by both threads */

        /* GuestFacts*: all of CONNECT, LIST and SURVEY, those found of FIND, the one of EDIT and
         * DEFINE; and of STATISTICS */
        GPtrArray *facts;
        bool answered;        /* of STATISTICS: a QEMU has told something */
        GPtrArray *gone;      /* char*, of FIND: the names of no guest */
        GHashTable *counters; /* of COUNT: UUID -> what count() says, of those that are there */
        Passing passing;      /* of CONNECT: whose process libvirt's daemon is */
        Reprobe *reprobe;     /* what came of REPROBE; NULL: there was nothing to do */
        GHashTable *compared; /* of REPROBE: what compare() says; NULL: it was not asked */
        /* LibvirtUnavailable: it could not be carried out whole; TimedOut: nor was it, as it was
         * cancelled; of PLAN, EDIT and DEFINE any of hypervisor.h */
        GError *error;
} GuestJob;

GuestJob *guest_job_new(GuestJobKind kind, const Hypervisor *hypervisor, gpointer connection, const char *vendor);
/* Does not close what is open. */
void guest_job_free(GuestJob *job);
/* It may hang with a guest's QEMU, and belongs to the worker for that. */
bool guest_job_asks_qemu(const GuestJob *job);
/* Nobody waits for it any more. False: what it changes is begun, and will be done or not. */
bool guest_job_cancel(GuestJob *job);
/* A WorkerRun. */
void guest_job_run(gpointer job);
