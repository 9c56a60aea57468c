/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A tree that is what a program has collected of a host for somebody else to look at: sos
 * report(1), whose plugins copy some files at their paths, and put what commands have said beside
 * them (sos 4.0, sos/report/plugins). What is not in it may be on the host all the same. */

#include "root.h"

/* @path, or the one collection in that folder, when it is none itself and has nothing else: what an
 * archive was unpacked in. Newly allocated. */
char *collection_find(const char *path);
bool collection_is(const Root *root);

/* The release of the host's kernel, "" when nothing tells: the kernel's own word
 * (proc/sys/kernel/osrelease), of a collection that of uname(1). */
char *collection_release(const Root *root);
/* Of sysctl(8), NULL when that was not asked, or has not said. */
char *collection_sysctl(const Root *root, const char *name);
