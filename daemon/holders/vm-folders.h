/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* KVM's folders of virtual machines in debugfs, one for each machine that runs now, named PID-FD
 * after the process that made it and its descriptor (virt/kvm/kvm_main.c,
 * kvm_create_vm_debugfs()), and which guests they are. */

#include <stdbool.h>

#include "root.h"

/* At the root that is the machine. */
#define VM_FOLDERS_PATH "sys/kernel/debug/kvm"

/* It is such a name. */
bool vm_folder_is(const char *name);
/* All that is there, other things than machines among it; nothing, and maybe @unreachable
 * (UNSUPPORTED, NOT_PERMITTED), when KVM's folder can't be reached. Without KVM there is
 * nothing. */
GStrv vm_folders_list(const Root *root, GError **unreachable);
/* Who says to be which of @guests, a set of UUIDs: UUID -> folder; "" when several say the same, of
 * whom none is believed. */
GHashTable *vm_folders_claims(const Root *root, const GStrv folders, GHashTable *guests);
