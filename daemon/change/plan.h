/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a request will be carried out on the host of a snapshot: which files get which text, which
 * modules are unloaded and loaded with which options, what must be read back, and how all of that
 * is undone. A plan is complete in itself: the worker that carries it out needs no snapshot. */

#include <glib.h>
#include <stdbool.h>

#include "request.h"

typedef struct PlanFile {
        char *path;   /* beneath the root */
        char *before; /* its text, NULL when there is none */
        char *after;  /* its text, NULL when it goes */
} PlanFile;

/* Larger ones of ours are refused, so that the journal can hold what it has to. */
#define PLAN_FILE_MAX ((size_t) 64 * 1024)

typedef struct PlanModule {
        char *name;
        bool required; /* must be unloaded; else (kvm) only when it is free */
        bool loaded;   /* it is live now */
        char *before;  /* options that bring back what is in effect now */
        char *after;   /* options of the load */
        char *kept;    /* and besides when kvm stays loaded: what it would else keep of an earlier load; or "" */
} PlanModule;

typedef struct PlanValue {
        char *module;
        char *name;
        char *before;  /* normalised */
        char *after;   /* normalised, what must be read back */
        bool writable; /* without a reload */
        bool asked;    /* else it is only to outlive the reload: somebody may have written it by hand */
} PlanValue;

typedef struct Impact {
        char *subject;    /* "host", "pid 812", or a guest's name */
        const char *kind; /* "blocks" "fails-to-start" "loses-nested" "saved-state" "unknown" */
        char *message;
} Impact;

typedef struct Plan {
        char *title;        /* the request in words, for the journal and for people */
        uint64_t flags;     /* RequestFlags */
        bool reload;        /* it is asked for as such: now, or not at all */
        bool settles;       /* it loads the modules anew with what modprobe.d says: a reload, or nothing but resets */
        bool unchanged;     /* configured and in effect already */
        bool pending;       /* the end of a change that waited */
        GPtrArray *files;   /* PlanFile* that change */
        GPtrArray *modules; /* PlanModule* in the order of loading (kvm first); empty: no reload */
        GPtrArray *values;  /* PlanValue* to be read back */
        char *vendor;       /* the vendor module, or NULL */
        char *boot_id;
        char *release;    /* of the kernel */
        GPtrArray *steps; /* char*, what would be done, in words */
        GPtrArray *notes; /* char*, what else there is to say of it */
        bool nested_off;  /* a reload switches nested off, asked for or not */
        bool applies;     /* it is the desired state that is applied, */
        char *applied;    /* and the record of that (applied.h), NULL: there is none */

        /* What carrying it out came to, for the journal; filled by change.c once the values are
         * proven. */
        GPtrArray *records; /* PlanFile* that change as well: ours, not modprobe's (records.h) */
        bool deferred;      /* it waits for idle: the modules stay as they are */
} Plan;

/* With every array empty: for plan-draft.c, and for the journal. */
Plan *plan_new_empty(void);
void plan_free(Plan *plan);
void plan_file_free(PlanFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

bool plan_reloads(const Plan *plan);
void impact_free(Impact *impact);
