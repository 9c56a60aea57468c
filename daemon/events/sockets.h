/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether this host has a libvirt to talk to: its socket, watched for by inotify. It opens none. */

#include <stdbool.h>

#include "root.h"

typedef struct Sockets Sockets;

/* NULL and a negative errno in @ret_error on failure. */
Sockets *sockets_new(Root *root, int *ret_error);
void sockets_free(Sockets *sockets);
int sockets_fd(const Sockets *sockets);
/* Reads what has happened; true when a socket may have come. */
bool sockets_read(Sockets *sockets);
/* One of them is there. */
bool sockets_present(const Sockets *sockets);
