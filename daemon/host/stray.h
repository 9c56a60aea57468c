/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lines about KVM's modules that somebody wrote where nobody reads them as they were meant. It does
 * not judge what they would do. */

#include <glib.h>

#include "root.h"

typedef enum StrayKind {
        STRAY_NAME,      /* in a folder of modprobe.d, in a file whose name does not end as modprobe wants it */
        STRAY_LOAD,      /* options in modules-load.d, where a line is a name */
        STRAY_COMMENTED, /* options in our own file, commented out */
} StrayKind;

typedef struct Stray {
        StrayKind kind;
        char *path; /* absolute, valid UTF-8 */
        unsigned line;
        char *text;   /* the line, valid UTF-8 */
        char *module; /* with underscores */
        char *rest;   /* the parameters, when it has any; else "" */
} Stray;

void stray_free(Stray *stray);

/* Stray*; of each file of the first two kinds the first line. @vendor: this host's module besides
 * kvm, or NULL. */
GPtrArray *stray_read(const Root *root, const char *vendor);
