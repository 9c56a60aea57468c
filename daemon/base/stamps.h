/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What stat(2) has said of the files and folders that were read, by which it is proven later that
 * they still say the same: device, inode, kind, size and both times are as they were (a time of
 * modification can be set back, that of the last change can't), the file system is one that keeps
 * them itself, and the last change was long enough before the stamp that another one has another
 * time. What is missing proves itself by being missing. Everything else proves nothing. Not seen is
 * what a process writes into a file that it has mapped. */

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "root.h"

typedef struct Stamps Stamps;

Stamps *stamps_new(void);
void stamps_free(Stamps *stamps);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stamps, stamps_free)

/* As root_stat(), and remembered: to be called before the content is read. @stamps may be NULL. */
int stamps_stat(Stamps *stamps, const Root *root, const char *path, struct stat *ret);
/* All of them are proof, and say now what they said. */
bool stamps_hold(const Stamps *stamps, const Root *root);
