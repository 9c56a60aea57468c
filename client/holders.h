/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds KVM, as the daemon tells. */

#include "inventory.h"

/* An array of dictionaries (Pid, Uid, Command, Unit, Guest; of the last one maybe Omitted alone):
 * the holders of the vendor's module, else of kvm; empty when there is no module. */
int holders_fetch(Client *client, const Inventory *inventory, GVariant **ret, sd_bus_error *error);
/* How many of them are not told, and in *@ret_others whether that is as they are other users': it
 * is when all that are told are one's own. */
guint32 holders_omitted(GVariant *holders, bool *ret_others);
/* "… and 3 more of other users". */
char *holders_describe_rest(guint32 omitted, bool others);
/* "qemu-system-x86 (pid 812), guest web1, machine-qemu.scope" */
char *holder_describe(GVariant *holder);
