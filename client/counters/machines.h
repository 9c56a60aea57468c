/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is behind a virtual machine: from what the kernel calls it, "PID-FD", to the process, and
 * from either that or its UUID to the guest that a user names. */

#include "inventory.h"

typedef struct Machines Machines;

int machines_new(Client *client, Machines **ret, sd_bus_error *error);
void machines_free(Machines *machines);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Machines, machines_free)

/* Looks at who uses KVM now; until then nobody is known. */
int machines_look(Machines *machines, sd_bus_error *error);
/* @machine as GetStatistics names it, @process its "PID-FD" or "". The guest's name, else the
 * program's, else "". */
char *machines_name(const Machines *machines, const char *machine, const char *process);
/* @word: @machine, "PID-FD", the PID alone, or that name. */
bool machines_is_meant(const Machines *machines, const char *machine, const char *process, const char *word);
/* What GetStatistics may call the machine that @word means, where it is none of those that are
 * told: the UUID of a guest of that name, else @word. */
const char *machines_ask_for(const Machines *machines, const char *word);
/* The processes behind that name, added to a set of numbers. */
void machines_add_pids(const Machines *machines, const char *name, GHashTable *pids);
