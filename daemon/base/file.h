/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file beneath the root that is replaced so that a power cut leaves the old or the new one. */

#include "root.h"

/* Writing: the new content is staged beside the target under the name ".<basename>.new" (which
 * modprobe does not read), synced, and becomes visible by a rename; the directory is synced after
 * the rename. Parents that are missing are made (0755). That the staged name is on disk before
 * nobody needs: it may be lost with a power cut, or come back after it was discarded, and is never
 * published by another boot. */
bool file_stage(const Root *root, const char *path, const char *content, GError **error);
/* Renames the staged file; fine when there is none. */
bool file_publish(const Root *root, const char *path, GError **error);
/* The same, and a power cut may bring the old one back for some seconds. */
bool file_publish_soon(const Root *root, const char *path, GError **error);
/* Removes the staged file; fine when there is none. */
bool file_discard(const Root *root, const char *path, GError **error);
bool file_is_staged(const Root *root, const char *path);
/* Removes it and syncs the directory; fine when there is none. */
bool file_remove(const Root *root, const char *path, GError **error);
/* The same, and a power cut may bring it back for some seconds. */
bool file_remove_soon(const Root *root, const char *path, GError **error);
/* Another name in the same directory, which takes the place of what is there; fine when there is
 * none. */
bool file_rename(const Root *root, const char *path, const char *to, GError **error);
bool file_write(const Root *root, const char *path, const char *content, GError **error); /* stage and publish */
/* One write(2) into an existing file, as sysfs wants it. */
bool file_poke(const Root *root, const char *path, const char *content, GError **error);
