/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files beneath one directory: reading them whole and bounded, and replacing them so that a power cut leaves the old or the
 * new one. It must not know what is in them, and must not touch a path by any other way than the directory's descriptor. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "root.h"

/* A first line longer than this is no line that anybody meant. */
#define LINE_FILE_MAX ((size_t) 64 * 1024)
/* How often a lookup that raced with a rename is tried again (openat2(2), EAGAIN). */
#define OPEN_ATTEMPTS 32

struct Root {
        gatomicrefcount references;
        int fd; /* O_PATH */
        bool machine;
        char *path;    /* absolute, links resolved */
        char *devices; /* NULL: "dev" beneath fd */
};

G_GNUC_PRINTF(3, 4)
static bool fail(GError **error, int errnum, const char *format, ...) {
        g_autofree char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        message = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        /* GLib has no code for EFBIG; its nearest is the one that says "too much". */
        g_set_error(error, G_FILE_ERROR, errnum == EFBIG ? G_FILE_ERROR_NOSPC : g_file_error_from_errno(errnum),
                    "%s: %s", message, g_strerror(errnum));
        return false;
}

static void close_fd(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

#define AUTO_CLOSE __attribute__((cleanup(close_fd)))

/* Nothing can lead out of "/", so that the machine itself needs no openat2(2), which systemd's RestrictSUIDSGID= takes away: a filter can't
 * see the mode in its structure. */
static int open_machine(int fd, const char *path, int flags) {
        for (;;) {
                int result = openat(fd, *path ? path : ".", flags | O_CLOEXEC, 0644);

                if (result >= 0 || errno != EINTR)
                        return result >= 0 ? result : -errno;
        }
}

static int open_confined(int fd, const char *path, int flags) {
        struct open_how how = {
                        .flags = (uint64_t) (flags | O_CLOEXEC),
                        .mode = flags & O_CREAT ? 0644 : 0,
                        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };

        for (unsigned i = 0;; i++) {
                /* glibc has no wrapper in the releases that we build on. */
                long result = syscall(SYS_openat2, fd, *path ? path : ".", &how, sizeof(how));

                if (result >= 0)
                        return (int) result;
                if (errno != EINTR && (errno != EAGAIN || i >= OPEN_ATTEMPTS))
                        return -errno;
        }
}

static int open_beneath(const Root *root, const char *path, int flags) {
        return root->machine ? open_machine(root->fd, path, flags) : open_confined(root->fd, path, flags);
}

static Root *fail_new(const char *path, int errnum, GError **error) {
        fail(error, errnum, "Can't open the directory %s%s", path,
             errnum == ENOSYS ? ": it needs openat2(2), which Linux has since 5.6 and a sandbox may hide" : "");
        return NULL;
}

Root *root_new(const char *path, const char *devices, GError **error) {
        g_autofree char *real = realpath(path, NULL);
        int fd = real ? open(real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, probe;
        bool machine = g_strcmp0(real, "/") == 0;
        Root *root;

        if (fd < 0)
                return fail_new(path, errno, error);
        probe = machine ? 0 : open_confined(fd, ".", O_PATH | O_DIRECTORY);
        if (probe < 0) {
                close(fd);
                return fail_new(path, -probe, error);
        }
        if (!machine)
                close(probe);
        root = g_new0(Root, 1);
        g_atomic_ref_count_init(&root->references);
        root->fd = fd;
        root->machine = machine;
        root->path = g_steal_pointer(&real);
        root->devices = g_strdup(devices);
        return root;
}

Root *root_ref(Root *root) {
        g_atomic_ref_count_inc(&root->references);
        return root;
}

void root_unref(Root *root) {
        if (!root || !g_atomic_ref_count_dec(&root->references))
                return;
        close(root->fd);
        g_free(root->path);
        g_free(root->devices);
        g_free(root);
}

bool root_is_machine(const Root *root) {
        return root->machine;
}

int root_open(const Root *root, const char *path, int flags) {
        return open_beneath(root, path, flags);
}

char *root_absolute(const Root *root, const char *path) {
        return g_build_filename(root->path, path, NULL);
}

char *root_device_path(const Root *root, const char *name) {
        return root->devices ? g_build_filename(root->devices, name, NULL)
                             : g_build_filename(root->path, "dev", name, NULL);
}

/* Opens a regular file. A fifo or a device of that name must neither block us nor notice us more than can be helped. */
static int open_regular(const Root *root, const char *path, int flags) {
        int fd = root_open(root, path, flags | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        int result;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                result = -errno;
        else if (S_ISREG(st.st_mode))
                return fd;
        else
                result = S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
        close(fd);
        return result;
}

/* Reads to the end of @fd: 0, or a negative errno (-EFBIG when it is longer than @max). */
static int read_all(int fd, size_t max, char **ret, size_t *ret_size) {
        size_t room = MIN(max, 4095) + 1, size = 0;
        g_autofree char *buffer = g_malloc(room + 1);

        for (;;) {
                ssize_t n = read(fd, buffer + size, room - size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
                if (size == room) {
                        room = MIN(2 * room, max + 1);
                        buffer = g_realloc(buffer, room + 1);
                }
        }
        buffer[size] = 0;
        *ret = g_steal_pointer(&buffer);
        if (ret_size)
                *ret_size = size;
        return 0;
}

static int read_file(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size) {
        int fd AUTO_CLOSE = open_regular(root, path, O_RDONLY);

        return fd < 0 ? fd : read_all(fd, max, ret, ret_size);
}

bool root_read(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size, GError **error) {
        int result = read_file(root, path, max, ret, ret_size);
        g_autofree char *absolute = result < 0 ? root_absolute(root, path) : NULL;

        if (result == -EFBIG)
                return fail(error, EFBIG, "%s is longer than %zu bytes", absolute, max);
        return result >= 0 || fail(error, -result, "Can't read %s", absolute);
}

char *root_read_line(const Root *root, const char *path) {
        g_autofree char *text = NULL;

        if (read_file(root, path, LINE_FILE_MAX, &text, NULL) < 0 || !text)
                return NULL;
        text[strcspn(text, "\n")] = 0;
        return g_utf8_make_valid(text, -1);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

GStrv root_list(const Root *root, const char *path) {
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        int fd = root_open(root, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);

        if (!directory && fd >= 0)
                close(fd);
        while (directory) {
                const struct dirent *entry = readdir(directory);

                if (!entry)
                        break;
                if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        }
        if (directory)
                closedir(directory);
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

char *root_read_link(const Root *root, const char *path) {
        int fd AUTO_CLOSE = root_open(root, path, O_PATH | O_NOFOLLOW);
        char target[PATH_MAX];
        ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));

        return size < 0 ? NULL : g_utf8_make_valid(target, size);
}

bool root_exists(const Root *root, const char *path) {
        return root_stat(root, path, &(struct stat) {}) >= 0;
}

int root_stat(const Root *root, const char *path, struct stat *ret) {
        int fd AUTO_CLOSE = root_open(root, path, O_PATH);

        return fd < 0 ? fd : fstat(fd, ret) < 0 ? -errno : 0;
}

int root_stat_device(const Root *root, const char *name, struct stat *ret) {
        int fd AUTO_CLOSE = -1;

        if (!*name || strchr(name, '/'))
                return -EINVAL;
        fd = root->devices ? open(root->devices, O_PATH | O_DIRECTORY | O_CLOEXEC)
                           : root_open(root, "dev", O_PATH | O_DIRECTORY);
        if (fd < 0)
                return root->devices ? -errno : fd;
        return fstatat(fd, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

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

/* Opens the directory that holds @path, with those above it made when they are missing and @make. */
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

        /* What a change that was cut short has left, be it a file or a link, is not written through. */
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
        if (result >= 0)
                result = sync_directory(parent);
        if (result < 0)
                unlinkat(parent, name, 0);
        return result;
}

bool root_stage(const Root *root, const char *path, const char *content, GError **error) {
        g_autofree char *absolute = root_absolute(root, path), *name = staged_name(path);
        int parent AUTO_CLOSE = open_parent(root, path, true);
        int result = parent < 0 ? parent : write_staged(parent, name, content);

        return result >= 0 || fail(error, -result, "Can't write the new %s", absolute);
}

/* Renames @from to @to in the directory of @path, or removes it when @to is NULL; fine when it is not there. */
static bool alter_entry(const Root *root, const char *path, const char *from, const char *to, GError **error) {
        g_autofree char *absolute = root_absolute(root, path);
        int parent AUTO_CLOSE = open_parent(root, path, false);
        int result;

        if (parent == -ENOENT)
                return true;
        if (parent < 0)
                return fail(error, -parent, "Can't open the directory of %s", absolute);
        result = to ? renameat(parent, from, parent, to) : unlinkat(parent, from, 0);
        if (result < 0 && errno != ENOENT)
                return fail(error, errno, to ? "Can't put the new %s in place" : "Can't remove %s", absolute);
        /* Also when there was nothing to do: the one who did it may not have come this far. */
        result = sync_directory(parent);
        return result >= 0 || fail(error, -result, "Can't write the directory of %s to disk", absolute);
}

bool root_publish(const Root *root, const char *path, GError **error) {
        g_autofree char *staged = staged_name(path), *name = g_path_get_basename(path);

        return alter_entry(root, path, staged, name, error);
}

bool root_discard(const Root *root, const char *path, GError **error) {
        g_autofree char *staged = staged_name(path);

        return alter_entry(root, path, staged, NULL, error);
}

bool root_remove(const Root *root, const char *path, GError **error) {
        g_autofree char *name = g_path_get_basename(path);

        return alter_entry(root, path, name, NULL, error);
}

bool root_is_staged(const Root *root, const char *path) {
        g_autofree char *name = staged_name(path);
        int parent AUTO_CLOSE = open_parent(root, path, false);

        return parent >= 0 && faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0;
}

bool root_write(const Root *root, const char *path, const char *content, GError **error) {
        return root_stage(root, path, content, error) && root_publish(root, path, error);
}

bool root_poke(const Root *root, const char *path, const char *content, GError **error) {
        g_autofree char *absolute = root_absolute(root, path);
        int fd AUTO_CLOSE = open_regular(root, path, O_WRONLY | O_TRUNC);
        size_t size = strlen(content);
        ssize_t n;

        if (fd < 0)
                return fail(error, -fd, "Can't open %s for writing", absolute);
        do
                n = write(fd, content, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return fail(error, errno, "Can't write \"%s\" to %s", content, absolute);
        return (size_t) n == size || fail(error, EIO, "%s took only a part of \"%s\"", absolute, content);
}
