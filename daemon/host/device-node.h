/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What nestvirtd and its helper agree on: when the node of /dev/kvm is right, and what the helper's
 * exit statuses mean. Plain C, since the helper is nothing but that. */

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

/* MISC_MAJOR (linux/major.h) and KVM_MINOR (linux/miscdevice.h). */
#define NODE_MAJOR 10U
#define NODE_MINOR 232U
/* At least so much; a distribution may let more people in. */
#define NODE_MODE 0660U
#define NODE_GROUP "kvm"

/* Exit statuses of nestvirt-device; systemd needs to be told that those from 10 on are no failures
 * of the unit. */
typedef enum DeviceStatus {
        DEVICE_OK = 0,
        DEVICE_FAILED = 1, /* something else; it is on standard error */
        DEVICE_USAGE = 2,
        DEVICE_MISSING = 10,
        DEVICE_WRONG_NODE = 11,
        DEVICE_DENIED = 12,
        DEVICE_BROKEN = 13,
} DeviceStatus;

/* @error: 0 or -errno of the stat(2). */
static inline bool node_is_missing(int error) {
        return error < 0;
}

static inline bool node_is_wrong(const struct stat *st) {
        return !S_ISCHR(st->st_mode) || major(st->st_rdev) != NODE_MAJOR || minor(st->st_rdev) != NODE_MINOR;
}

static inline bool node_is_others(const struct stat *st, gid_t group) {
        return st->st_uid != 0 || st->st_gid != group;
}

static inline bool node_is_closed(const struct stat *st) {
        return (st->st_mode & NODE_MODE) != NODE_MODE;
}
