/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an administrator tells the daemon: etc/nestvirt/nestvirtd.conf beneath the root. */

#include <stdbool.h>

#include "root.h"

#define SETTINGS_PATH "etc/nestvirt/nestvirtd.conf"

typedef struct Settings {
        /* the URI of the libvirt whose guests are shown; "": none; NULL: the machine's own, when
         * there is one */
        char *libvirt;
        bool hidden; /* guests are shown only to those who may read details */
} Settings;

/* What is not said, or can't be read, is NULL. @error is set when there is a file and it can't be
 * understood; the result is good all the same. */
Settings *settings_read(const Root *root, GError **error);
void settings_free(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)
