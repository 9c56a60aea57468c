/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* /dev/kvm, as far as it must be opened or made: a program of its own does that
 * (nestvirt-device.c), so that the daemon neither holds the device nor needs the rights. Never
 * while a change is under way: an open descriptor pins the module. */

#include "helper.h"
#include "host-state.h"

typedef struct Device Device;

/* Takes @helper over. */
Device *device_new(HostState *state, Helper *helper);
/* What is under way is dropped. */
void device_free(Device *device);

/* "ok" "missing" "wrong-node" "denied" "broken", or "failed" when it could not be found out. */
typedef void (*DeviceChecked)(const char *word, gpointer userdata);
/* Opens the device, and has the CPU's registers read into CPU_FACTS_PATH. The caller has the turn
 * (operation-queue.h); @discard gets @userdata when the daemon ends before that. */
void device_check(Device *device, DeviceChecked done, GDestroyNotify discard, gpointer userdata);

/* What there is to mend, in words (char*); empty when nothing. NULL and @error when it can't be
 * mended. Looks at the node alone. */
GPtrArray *device_plan(const HostState *state, GError **error);

/* @error: NULL when it was mended, and seen to be. */
typedef void (*DeviceEnsured)(const GError *error, gpointer userdata);
/* Mends it. The caller has the turn. */
void device_ensure(Device *device, DeviceEnsured done, GDestroyNotify discard, gpointer userdata);
