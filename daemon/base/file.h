/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file beneath the root that is replaced so that a power cut leaves the old or the new one. */

#include "root.h"

/* Writing: the new content is staged beside the target under the name ".<basename>.new" (which
 * modprobe does not read), synced, and becomes visible by a rename; the directory is synced after
 * the rename. Parents that are missing are made (0755). */
bool file_stage(const Root *root, const char *path, const char *content, GError **error);
bool file_publish(const Root *root, const char *path,
                  GError **error); /* rename the staged file; fine when there is none */
bool file_discard(const Root *root, const char *path,
                  GError **error); /* remove the staged file; fine when there is none */
bool file_is_staged(const Root *root, const char *path);
bool file_remove(const Root *root, const char *path,
                 GError **error); /* remove and sync the directory; fine when there is none */
/* Another name in the same directory, which takes the place of what is there; fine when there is
 * none. */
bool file_rename(const Root *root, const char *path, const char *to, GError **error);
bool file_write(const Root *root, const char *path, const char *content, GError **error); /* stage and publish */
/* One write(2) into an existing file, as sysfs wants it. */
bool file_poke(const Root *root, const char *path, const char *content, GError **error);
