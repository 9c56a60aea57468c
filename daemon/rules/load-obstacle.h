/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What keeps a module of KVM from being loaded as things are, and the command that loads it where
 * nothing does. Whoever names a command that loads a module asks here, and so does the plan of that
 * command. Pure. */

#include <glib.h>

#include "host.h"

typedef enum LoadObstacle {
        OBSTACLE_NONE,
        OBSTACLE_KERNEL, /* the kernel loads it for nobody: by its command line, or in a confidential virtual machine */
        OBSTACLE_OFF,    /* an install line that does nothing: it was switched off on purpose */
        OBSTACLE_COMMAND, /* an install or remove line that does something else */
} LoadObstacle;

/* A line of others that keeps @module from being loaded by nestvirtd, or unloaded when it is live;
 * @ret_told (may be NULL) gets it as a sentence without its full stop that says where it is, or
 * NULL. */
LoadObstacle load_obstacle_find(const Host *host, const Module *module, char **ret_told);
/* The command that loads @module, anew when it is live; "" when none can. */
char *load_obstacle_remedy(const Host *host, const Module *module);
