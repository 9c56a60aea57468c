/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What ends with its scope, where GLib does not know the type: _cleanup_(free_it_p) Type it, and
 * int fd AUTO_CLOSE = …; negative: there is none. */

#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void close_fd(const int *fd) {
        if (*fd >= 0)
                close(*fd);
}

#define AUTO_CLOSE _cleanup_(close_fd)
