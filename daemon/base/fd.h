/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file descriptor that is closed with its scope: int fd AUTO_CLOSE = …; negative: there is
 * none. */

#include <unistd.h>

static inline void close_fd(const int *fd) {
        if (*fd >= 0)
                close(*fd);
}

#define AUTO_CLOSE __attribute__((cleanup(close_fd)))
