/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A hypervisor that is a folder, for the tests of the daemon's side: guests of any type, without
 * libvirt or QEMU.
 *
 * DIR/fake/libvirt      it can be reached while this is there
 * DIR/fake/guests/UUID  a guest, as a key file: [guest] name type active persistent mode model
 *                       policy live saved run inside counters windows
 * DIR/fake/xml/UUID     its definition, for what changes it; what it says of the CPU beats the key
 *                       file
 * DIR/fake/refuse       no definition is taken while this is there
 * DIR/fake/spoil        what becomes of the next definition, whatever it is
 * DIR/fake/capabilities libvirt's domain capabilities; without them it is no QEMU's
 * DIR/fake/capabilities-next  takes the place of the former once that was asked for
 * DIR/fake/calls        gets a line "capabilities" each time that it is asked for them
 * DIR/fake/peer         the pid of libvirt's daemon
 * DIR/fake/vanish       libvirt is gone once the next definition was taken
 * DIR/fake/events       a FIFO: a line is the UUID of a guest that there is news of, or "lost"
 * DIR/fake/questions    gets a line "open", "list", "survey", "find", "statistics", "count",
 *                       "plan", "define" or "capabilities" each time that it is asked
 * DIR/fake/hang         a FIFO: while it is there, each question waits until it has been opened
 *                       for writing and closed
 * DIR/fake/qemu         the same, for what guests' QEMUs are asked alone
 * DIR/fake/withhold     while it is there and a QEMU is asked, guests that run are untold */

#include "hypervisor.h"

/* There is one in a process. */
const Hypervisor *fake_hypervisor(const char *directory);
