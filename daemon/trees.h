/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Trees of files instead of the machine: whoever has started us names one after the other, and is
 * the only one who is served. */

#include "daemon.h"

/* @control: a socket of the type SOCK_SEQPACKET. Each message is the path of a tree, with one end
 * of a stream socket (SCM_RIGHTS) on which D-Bus is spoken about it; it is served until that is
 * closed, then comes the next one, until @control is closed. The exit status. */
int trees_serve(int control, const DaemonSettings *settings);
