/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The process that we speak to libvirt with. */

/* The pid of the daemon at the other end of a connection of ours to one of the sockets of
 * qemu:///system; 0 when there is none, or it can't be told. */
unsigned libvirt_peer(void);
