/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The kernel's own events (lib/kobject_uevent.c): of KVM's modules as they come and go, and of KVM
 * itself, which tells of each VM made and gone (virt/kvm/kvm_main.c: kvm_uevent_notify_change()).
 * It listens to the kernel's group, since udev's does not reach a private network namespace. */

#include <stdbool.h>
#include <stddef.h>

/* A socket, or a negative errno. */
int uevents_open(void);
/* Reads what is there; true when some of it is about KVM, or when events were lost. */
bool uevents_read(int fd);
/* One event as the kernel sends it: "add@/module/kvm_amd", then KEY=VALUE, each ended by a NUL. */
bool uevent_is_about_kvm(const char *text, size_t size);
