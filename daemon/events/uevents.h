/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's own events (lib/kobject_uevent.c): of KVM's modules as they come and go, of KVM
 * itself, which tells of each VM made and gone (virt/kvm/kvm_main.c: kvm_uevent_notify_change()),
 * and of the processors. It listens to the kernel's group, since udev's does not reach a private
 * network namespace. */

#include <stddef.h>

typedef enum UeventNews {
        UEVENT_NONE = 0,
        UEVENT_KVM = 1 << 0,
        UEVENT_CPUS = 1 << 1, /* a processor came, went, or was switched on or off (drivers/base/cpu.c, core.c) */
        UEVENT_ALL = UEVENT_KVM | UEVENT_CPUS,
} UeventNews;

/* A socket, or a negative errno. */
int uevents_open(void);
/* Reads what is there, and tells what it is about: all of it when events were lost. */
UeventNews uevents_read(int fd);
/* One event as the kernel sends it: "add@/module/kvm_amd", then KEY=VALUE, each ended by a NUL. */
UeventNews uevent_judge(const char *text, size_t size);
