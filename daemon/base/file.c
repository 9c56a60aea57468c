/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Staging, renaming, syncing. It must not know what is in the files, and reaches them through the
 * root alone. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "file.h"

/* A file system that can't sync a directory (some network and FUSE ones) keeps its own promises. */
static int sync_directory(int fd) {
        return fsync(fd) < 0 && errno != EINVAL && errno != EOPNOTSUPP ? -errno : 0;
}

static char *staged_name(const char *path) {
        g_autofree char *name = g_path_get_basename(path);

        return g_strdup_printf(".%s.new", name);
}

/* Makes the directory @path, whose parent is @parent and exists; opens it. */
static int make_directory(const Root *root, int parent, const char *path) {
        g_autofree char *name = g_path_get_basename(path);
        bool made = mkdirat(parent, name, 0755) >= 0;
        int fd, result;

        if (!made && errno != EEXIST)
                return -errno;
        fd = root_open(root, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0 || !made)
                return fd;
        /* The umask must not decide who can read what the whole system needs. */
        result = fchmod(fd, 0755) < 0 ? -errno : sync_directory(parent);
        if (result >= 0)
                return fd;
        close(fd);
        return result;
}

/* Opens the directory that holds @path, with those above it made when they are missing and
 * @make. */
static int open_parent(const Root *root, const char *path, bool make) {
        g_autofree char *directory = g_path_get_dirname(path);
        int fd = root_open(root, directory, O_RDONLY | O_DIRECTORY);

        if (fd == -ENOENT && make && !g_str_equal(directory, ".")) {
                int above AUTO_CLOSE = open_parent(root, directory, true);

                return above < 0 ? above : make_directory(root, above, directory);
        }
        return fd;
}

static int write_whole(int fd, const char *content) {
        size_t size = strlen(content);

        for (ssize_t n; size > 0; content += n, size -= (size_t) n) {
                n = write(fd, content, size);
                if (n < 0 && errno != EINTR)
                        return -errno;
                n = MAX(n, 0);
        }
        return 0;
}

static int write_staged(int parent, const char *name, const char *content) {
        int fd, result;

        /* What a change that was cut short has left, be it a file or a link, is not written
         * through. */
        if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
                return -errno;
        fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        result = fchmod(fd, 0644) < 0 ? -errno : write_whole(fd, content);
        if (result >= 0 && fsync(fd) < 0)
                result = -errno;
        if (close(fd) < 0 && errno != EINTR && result >= 0)
                result = -errno;
        if (result < 0)
                unlinkat(parent, name, 0);
        return result;
}

bool file_stage(const Root *root, const char *path, const char *content, GError **error) {
        g_autofree char *absolute = root_absolute(root, path), *name = staged_name(path);
        int parent AUTO_CLOSE = open_parent(root, path, true);
        int result = parent < 0 ? parent : write_staged(parent, name, content);

        return result >= 0 || error_set_errno(error, -result, "Can't write the new %s", absolute);
}

/* 0 also when @from is not there: a disk that is read-only refuses even that (EROFS). */
static int alter(int parent, const char *from, const char *to) {
        if (faccessat(parent, from, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return 0;
        if ((to ? renameat(parent, from, parent, to) : unlinkat(parent, from, 0)) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

/* Renames @from to @to in the directory of @path, or removes it when @to is NULL; fine when it is
 * not there. */
static bool alter_entry(const Root *root, const char *path, const char *from, const char *to, bool sync,
                        GError **error) {
        g_autofree char *absolute = root_absolute(root, path);
        int parent AUTO_CLOSE = open_parent(root, path, false);
        int result;

        if (parent == -ENOENT)
                return true;
        if (parent < 0)
                return error_set_errno(error, -parent, "Can't open the directory of %s", absolute);
        result = alter(parent, from, to);
        if (result < 0)
                return error_set_errno(error, -result, to ? "Can't put the new %s in place" : "Can't remove %s",
                                       absolute);
        /* Also when there was nothing to do: the one who did it may not have come this far. */
        result = sync ? sync_directory(parent) : 0;
        return result >= 0 || error_set_errno(error, -result, "Can't write the directory of %s to disk", absolute);
}

bool file_publish(const Root *root, const char *path, GError **error) {
        g_autofree char *staged = staged_name(path), *name = g_path_get_basename(path);

        return alter_entry(root, path, staged, name, true, error);
}

bool file_publish_soon(const Root *root, const char *path, GError **error) {
        g_autofree char *staged = staged_name(path), *name = g_path_get_basename(path);

        return alter_entry(root, path, staged, name, false, error);
}

bool file_discard(const Root *root, const char *path, GError **error) {
        g_autofree char *staged = staged_name(path);

        return alter_entry(root, path, staged, NULL, false, error);
}

bool file_remove(const Root *root, const char *path, GError **error) {
        g_autofree char *name = g_path_get_basename(path);

        return alter_entry(root, path, name, NULL, true, error);
}

bool file_remove_soon(const Root *root, const char *path, GError **error) {
        g_autofree char *name = g_path_get_basename(path);

        return alter_entry(root, path, name, NULL, false, error);
}

bool file_rename(const Root *root, const char *path, const char *to, GError **error) {
        g_autofree char *name = g_path_get_basename(path);

        return alter_entry(root, path, name, to, true, error);
}

bool file_is_staged(const Root *root, const char *path) {
        g_autofree char *name = staged_name(path);
        int parent AUTO_CLOSE = open_parent(root, path, false);

        return parent >= 0 && faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

bool file_write(const Root *root, const char *path, const char *content, GError **error) {
        return file_stage(root, path, content, error) && file_publish(root, path, error);
}

bool file_poke(const Root *root, const char *path, const char *content, GError **error) {
        g_autofree char *absolute = root_absolute(root, path);
        int fd AUTO_CLOSE = root_open_regular(root, path, O_WRONLY | O_TRUNC);
        size_t size = strlen(content);
        ssize_t n;

        if (fd < 0)
                return error_set_errno(error, -fd, "Can't open %s for writing", absolute);
        do
                n = write(fd, content, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return error_set_errno(error, errno, "Can't write \"%s\" to %s", content, absolute);
        return (size_t) n == size || error_set_errno(error, EIO, "%s took only a part of \"%s\"", absolute, content);
}
