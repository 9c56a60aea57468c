/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who holds KVM: processes with its device, a VM, a vCPU or a device of one open (descriptors.h).
 * Any of them pins the vendor module (virt/kvm/kvm_main.c: kvm_chardev_ops.owner), and nobody is
 * looked for when nobody has it. Scans /proc, which takes up to two seconds: run it on a worker. */

#include <glib.h>

#include "descriptors.h"
#include "root.h"

typedef struct User {
        unsigned pid;
        unsigned uid;       /* the real one */
        unsigned parent;    /* its pid */
        char *command;      /* comm; this and the names below are cut at 64 characters */
        char *unit;         /* systemd's (unit.h); "" when in none */
        char *guest;        /* the guest's name when QEMU says one on its command line; else "" */
        const char *nested; /* what that line says of vmx or svm: QemuClaims in qemu.h; static */
} User;

/* More of them are counted and not kept. */
#define USERS_MAX 4096U

/* What a scan found. It does not change, so that threads can share it. */
typedef struct Users {
        gint references;    /* gatomicrefcount is counted in GLib, where ThreadSanitizer sees nothing */
        GPtrArray *holders; /* User*, sorted by pid */
        unsigned omitted;   /* so many more hold KVM, and were not kept */
        bool perhaps_more;  /* not everything was looked at */
        unsigned looked;    /* at so many descriptors */
        unsigned others;    /* so many are of other users, and not told: users_of() */
} Users;

/* Never NULL. Processes that go away meanwhile are left out. At most @max holders are kept. */
Users *users_scan(const Root *root);
Users *users_scan_within(const Root *root, const Bounds *bounds, unsigned max);
Users *users_ref(Users *users);
void users_unref(Users *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Users, users_unref)

/* The last scan, for all who asked before it began: however many they are, one scan serves them. It
 * belongs to one thread. */
typedef struct UsersScan {
        gint64 begun; /* g_get_monotonic_time() */
        Users *users;
} UsersScan;

/* As users_scan(), for somebody who asked at @asked. */
Users *users_scan_shared(UsersScan *scan, const Root *root, gint64 asked);
void user_free(User *user);

/* What one user may be told, who may not be told of others: their own. */
Users *users_of(const Users *users, unsigned uid);
/* The real user of a process; false when it is gone. */
bool user_read_uid(const Root *root, const char *pid, unsigned *ret);

/* "pid 812 qemu-system-x86 (machine-qemu-1-web1.scope, guest web1), pid 901 …", at most @max of
 * them and then "and N more", "and N of other users"; "" when there is nobody. */
char *users_to_string(const Users *users, unsigned max);
