/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host's groups by its own files, not by the machine's name services: they may ask a network,
 * and the root may be another one. */

#include <sys/types.h>

#include "root.h"

/* 0 when there is no such group. */
gid_t group_find(const Root *root, const char *name);
