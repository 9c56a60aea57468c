/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs a program that opens /dev/kvm and waits, on the loop, for its exit status: as a unit over
 * systemd's bus, or as a plain child. One at a time. It does not know what the programs do. */

#include <glib.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct Helper Helper;

/* The same work in two ways. Nothing of it is kept by the helper but copies. */
typedef struct HelperTask {
        const char *unit;        /* "nestvirt-device@check.service" */
        const char *const *argv; /* of the plain child; the first is the name of the program */
        /* where the plain child's standard output goes, an absolute path, or NULL; a unit says
         * so itself */
        const char *output;
        unsigned timeout_sec;
} HelperTask;

/* @status: the exit status, or a negative errno when it did not come to one (@detail says more, or
 * is NULL). */
typedef void (*HelperDone)(int status, const char *detail, gpointer userdata);

/* @folder: where the programs of plain children are; NULL: they run as units. NULL when there is no
 * memory for it. */
Helper *helper_new(sd_event *event, sd_bus *bus, const char *folder);
/* One under way is forgotten, a plain child is killed; HelperDone is not called. */
void helper_free(Helper *helper);
void helper_run(Helper *helper, const HelperTask *task, HelperDone done, gpointer userdata);
