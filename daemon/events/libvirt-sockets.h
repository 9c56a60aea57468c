/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether this host has a libvirt to talk to: its socket, watched for by inotify. It opens none. */

#include <stdbool.h>

#include "root.h"

typedef struct LibvirtSockets LibvirtSockets;

/* NULL and a negative errno in @ret_error on failure. */
LibvirtSockets *libvirt_sockets_new(Root *root, int *ret_error);
void libvirt_sockets_free(LibvirtSockets *sockets);
int libvirt_sockets_fd(const LibvirtSockets *sockets);
/* Reads what has happened; true when a socket may have come. */
bool libvirt_sockets_read(LibvirtSockets *sockets);
/* One of them is there. */
bool libvirt_sockets_present(const LibvirtSockets *sockets);
