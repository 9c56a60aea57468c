/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which unit of systemd's a process belongs to, from its cgroup. What is below a unit belongs to
 * whom it is delegated to, who may name it as he likes (systemd's docs/CGROUP_DELEGATION.md). */

#include "root.h"

/* The unit of the process @pid, where the hierarchy of systemd's is the one that counts; "" when
 * it is in none or gone. */
char *unit_read(const Root *root, const char *pid);
