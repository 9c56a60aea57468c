/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How far the kernel is locked down: how much it keeps from root. */

#include "root.h"

#define LOCKDOWN_PATH "sys/kernel/security/lockdown"

/* "integrity", "confidentiality"; "" when there is none, or the kernel does not know it. */
char *lockdown_read(const Root *root);
