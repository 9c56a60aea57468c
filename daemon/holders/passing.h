/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Holders of KVM that are known to go by themselves, so that it is worth waiting for them: what
 * libvirt tries QEMU out with, and our own programs. Known by what the kernel says of a process,
 * its parent and its cgroup, never by a command line or a name, which anybody can have.
 *
 * libvirt's is a child of the process that we are connected to; or, as QEMU leaves its parent by
 * -daemonize (libvirt 9.0, src/qemu/qemu_process.c, qemuProcessQMPLaunch()), it is in that
 * process's own unit, where nobody but root can put a process. Guests have a scope each; where they
 * were left in libvirt's unit, one that says a guest's name is taken for one. */

#include <glib.h>
#include <stdbool.h>

#include "users.h"

typedef struct Passing {
        unsigned libvirt;   /* the pid of libvirt's daemon; 0: not known */
        char *libvirt_unit; /* its unit, or NULL */
} Passing;

void passing_clear(Passing *passing);
void passing_copy(const Passing *from, Passing *to);
/* What the process is, for the middle of a sentence; NULL when it is not known to go. */
const char *passing_what(const Passing *passing, const User *user);
/* All of those who hold KVM go by themselves, and there is one at least. */
bool passing_all(const Passing *passing, const Users *users);
