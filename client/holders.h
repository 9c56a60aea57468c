/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds KVM, as the daemon tells. */

#include "inventory.h"

/* An array of dictionaries (Pid, Uid, Command, Unit, Guest, NestedClaim; of the last one maybe
 * Omitted alone): the holders of the vendor's module, else of kvm; empty when there is no
 * module. */
int holders_fetch(Client *client, const Inventory *inventory, Value **ret, sd_bus_error *error);
/* What is to be said of those that are not told, @any: after others. That they are other users' is
 * said when all that are told are one's own. NULL: all are told. */
char *holders_describe_rest(const Value *holders, bool any);
/* "qemu-system-x86 (pid 812), guest web1, machine-qemu.scope" */
char *holder_describe(const Value *holder);
