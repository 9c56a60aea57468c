/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The argument "a{sv} content" of Apply. */

#include <systemd/sd-bus.h>

#include "desired.h"

typedef struct ApplyContent {
        Desired *desired;        /* of the files that are given; NULL: those of the folders are meant */
        char *when;              /* "idle", "now", "boot": instead of what the files say; or NULL */
        bool parameters, guests; /* which of them is applied */
} ApplyContent;

/* False: InvalidArgs, or an error of desired.h. What was read by then is @ret's all the same. */
bool apply_content_read(sd_bus_message *message, ApplyContent *ret, GError **error);
void apply_content_clear(ApplyContent *content);
