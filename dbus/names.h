/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Every name that the daemon, the client and the tests must agree on, spelled once: the bus name,
 * object paths, interfaces and polkit actions. It is nothing but names; signatures and prose are in
 * org.nestvirt1.xml, error names in daemon/base/error.c. */

#include <stdint.h>

#define BUS_NAME "org.nestvirt1"

/* The bus itself, whose interface has the name as well. */
#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

#define PATH_MANAGER "/org/nestvirt1"
/* Prefixes for sd_bus_path_encode(): the module's name, or the guest's UUID, follows after a
 * slash. */
#define PATH_MODULE_PREFIX "/org/nestvirt1/module"
#define PATH_GUEST_PREFIX "/org/nestvirt1/guest"

#define IFACE_MANAGER "org.nestvirt1.Manager"
#define IFACE_MODULE "org.nestvirt1.Module"
#define IFACE_GUEST "org.nestvirt1.Guest"
#define IFACE_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define IFACE_PROPERTIES "org.freedesktop.DBus.Properties"
#define IFACE_INTROSPECTABLE "org.freedesktop.DBus.Introspectable"

/* What systemd's own tools know, org.freedesktop.LogControl1(5). */
#define PATH_LOG_CONTROL "/org/freedesktop/LogControl1"
#define IFACE_LOG_CONTROL "org.freedesktop.LogControl1"

/* What the names of our own D-Bus errors begin with. */
#define ERROR_PREFIX "org.nestvirt1.Error."

#define ACTION_MANAGE_MODULES "org.nestvirt1.manage-modules"
#define ACTION_MANAGE_GUESTS "org.nestvirt1.manage-guests"
#define ACTION_MANAGE_DEVICE "org.nestvirt1.manage-device"
#define ACTION_PROBE "org.nestvirt1.probe"
/* To see what is other users'; never asked for with a password. */
#define ACTION_READ_DETAILS "org.nestvirt1.read-details"

/* The values of the trailing "t flags" of a method that changes something. */
#define FLAG_DRY_RUN (UINT64_C(1) << 0)
#define FLAG_RUNTIME (UINT64_C(1) << 1)
#define FLAG_NEXT_BOOT (UINT64_C(1) << 2)
#define FLAG_WHEN_IDLE (UINT64_C(1) << 3)
#define FLAG_HOLDERS (UINT64_C(1) << 4)
