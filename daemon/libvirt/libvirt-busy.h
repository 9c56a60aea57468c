/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether libvirt's answer about a guest would wait for its QEMU. */

#include <libvirt/libvirt.h>
#include <stdbool.h>

/* Once for each connection, before the next. */
void libvirt_busy_begin(virConnectPtr connection);
/* Somebody's question to the QEMU of a guest that runs is not answered, and for the definition,
 * also for the one that is not running, libvirt would wait for that. One that is about to be
 * answered is waited for, for a moment. */
bool libvirt_busy(virDomainPtr domain);
