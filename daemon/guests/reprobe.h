/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* libvirt made to look again at what KVM offers to guests' CPUs.
 *
 * libvirt keeps that in a file for each emulator, which is good for it, over its own restart as
 * well as the machine's, until one of the things changes at which it looks each time
 * (src/qemu/qemu_capabilities.c, virQEMUCapsIsValid()). KVM's nested is among them, and what KVM's
 * CPUID said when libvirt was started, in which npt shows; no other parameter of KVM is. The
 * modification time of the folder with QEMU's modules is, in whole seconds: to change it touches no
 * guest, and takes no restart. */

#include "hypervisor.h"
#include "root.h"

/* What libvirt last looked at, as far as is known here: a text of fixed-values.h. */
#define REPROBE_RECORD_PATH "var/lib/nestvirt/capabilities"

typedef struct Reprobe {
        char *message;      /* what was done, why, and what has come of it */
        GStrv gained, lost; /* features of host-model; NULL with an error */
        GError *error;      /* libvirt may go by what KVM offered before: why, and the command that mends it */
} Reprobe;

/* May block. @uri: of the @connection. @before: what counts when there is no record; @now: what is
 * so (fixed-values.h). @cancelled: not zero once another thread says so (by GLib's atomic
 * operations), when QEMU is not to be started any more; nothing is touched or recorded then, and
 * the error is TimedOut. NULL when there is nothing to do, as they are the same or this is not
 * libvirt's driver for QEMU. */
Reprobe *reprobe_run(const Hypervisor *hypervisor, gpointer connection, const Root *root, const char *uri,
                     const char *before, const char *now, const int *cancelled);
void reprobe_free(Reprobe *reprobe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reprobe, reprobe_free)
