/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The directory that every read of /proc, /sys, /etc, /run and /usr/lib goes through: "/" for the
 * machine itself, any other directory for a tree of files that stands for a host. Paths are
 * relative to it, without a leading slash, and can't leave it, symbolic links included (openat2(2)
 * RESOLVE_IN_ROOT, Linux 5.6; "/" needs no such care). Nothing here knows what the files mean. */

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

typedef struct Root Root;

/* No file read by nestvirtd is larger than this, unless its reader says otherwise. */
#define ROOT_FILE_MAX ((size_t) 1024 * 1024)

/* Opens the directory @path. @devices is where the device nodes of the machine are to be looked at
 * ("/dev" but for a service with a private /dev); NULL means "dev" beneath @path. */
Root *root_new(const char *path, const char *devices, GError **error);
Root *root_ref(Root *root);
void root_unref(Root *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Root, root_unref)

/* True for "/": the kernel behind the files is the running one, and modules can be loaded. */
bool root_is_machine(const Root *root);

/* Every failure here that is a fault (fault.h) is noted as one, also where the answer of a function
 * is the same as for a file that is not there. */

/* Notes that @path failed with -@result, if that is a fault: for who reads a descriptor himself. */
void root_note(const Root *root, const char *path, int result);

/* A file descriptor (O_CLOEXEC added) beneath the root, or -errno. */
int root_open(const Root *root, const char *path, int flags);
/* The same for a regular file alone, without blocking: -EISDIR, -ENXIO for anything else. */
int root_open_regular(const Root *root, const char *path, int flags);

/* Reads a whole file of at most @max bytes; a longer one is an error (G_FILE_ERROR_NOSPC), as is a
 * missing one (G_FILE_ERROR_NOENT) and what is no regular file. The result is NUL-terminated after
 * @ret_size bytes; it may contain NUL bytes. */
bool root_read(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size, GError **error);

/* The same for a file that may be missing: true and *@ret NULL when there is none. */
bool root_read_any(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size, GError **error);

/* The first line of a small file without its newline, made valid UTF-8; NULL when it can't be
 * read. */
char *root_read_line(const Root *root, const char *path);
/* The same, with the mode of a file that could be opened: 0 of any other. */
char *root_read_line_mode(const Root *root, const char *path, mode_t *ret_mode);

/* The names in a directory, sorted by strcmp(), without "." and ".."; empty when there is none. */
GStrv root_list(const Root *root, const char *path);

/* What a symbolic link says, unresolved and made valid UTF-8; NULL when it is none. */
char *root_read_link(const Root *root, const char *path);

bool root_exists(const Root *root, const char *path);
/* stat(2) beneath the root, following links inside it: 0 or -errno. */
int root_stat(const Root *root, const char *path, struct stat *ret);
/* stat(2), not following a link, of a device node beneath the directory given as @devices: 0 or
 * -errno. */
int root_stat_device(const Root *root, const char *name, struct stat *ret);
/* The absolute path of a device node, for messages and for inotify. */
char *root_device_path(const Root *root, const char *name);
/* The absolute path on the machine, for messages and for inotify. */
char *root_absolute(const Root *root, const char *path);
