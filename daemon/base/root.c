/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Files beneath one directory, read whole and bounded. It must not know what is in them, must not
 * touch a path by any other way than the directory's descriptor, and writes nothing: see file.c. */

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

#include "cleanup.h"
#include "error.h"
#include "fault.h"
#include "root.h"

/* A first line longer than this is no line that anybody meant. */
#define LINE_FILE_MAX ((size_t) 64 * 1024)
/* How often a lookup that raced with a rename is tried again (openat2(2), EAGAIN). */
#define OPEN_ATTEMPTS 32

struct Root {
        gint references; /* gatomicrefcount is counted in GLib, where ThreadSanitizer sees nothing */
        int fd;          /* O_PATH */
        bool machine;
        char *path;    /* absolute, links resolved */
        char *devices; /* NULL: "dev" beneath fd */
};

/* Nothing can lead out of "/", so that the machine itself needs no openat2(2), which systemd's
 * RestrictSUIDSGID= takes away: a filter can't see the mode in its structure. */
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
        error_set_errno(error, errnum, "Can't open the directory %s%s", path,
                        errnum == ENOSYS ? ": it needs openat2(2), which Linux has since 5.6 and a sandbox may hide"
                                         : "");
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
        root->references = 1;
        root->fd = fd;
        root->machine = machine;
        root->path = g_steal_pointer(&real);
        root->devices = g_strdup(devices);
        return root;
}

Root *root_ref(Root *root) {
        g_atomic_int_inc(&root->references);
        return root;
}

void root_unref(Root *root) {
        if (!root || !g_atomic_int_dec_and_test(&root->references))
                return;
        close(root->fd);
        g_free(root->path);
        g_free(root->devices);
        g_free(root);
}

bool root_is_machine(const Root *root) {
        return root->machine;
}

char *root_absolute(const Root *root, const char *path) {
        return g_build_filename(root->path, path, NULL);
}

char *root_device_path(const Root *root, const char *name) {
        return root->devices ? g_build_filename(root->devices, name, NULL)
                             : g_build_filename(root->path, "dev", name, NULL);
}

void root_note(const Root *root, const char *path, int result) {
        g_autofree char *absolute = result < 0 && fault_is(path, -result) ? root_absolute(root, path) : NULL;

        if (absolute)
                fault_note(absolute, -result);
}

/* @result, noted. */
static int noted(const Root *root, const char *path, int result) {
        root_note(root, path, result);
        return result;
}

int root_open(const Root *root, const char *path, int flags) {
        return noted(root, path, open_beneath(root, path, flags));
}

/* Opens a regular file. A fifo or a device of that name must neither block us nor notice us more
 * than can be helped. */
static int open_regular(const Root *root, const char *path, int flags, mode_t *ret_mode) {
        int fd = root_open(root, path, flags | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        int result;

        *ret_mode = 0;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                result = noted(root, path, -errno);
        else if (S_ISREG(st.st_mode)) {
                *ret_mode = st.st_mode;
                return fd;
        } else
                result = S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
        close(fd);
        return result;
}

int root_open_regular(const Root *root, const char *path, int flags) {
        mode_t mode;

        return open_regular(root, path, flags, &mode);
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

static int read_file(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size, mode_t *ret_mode) {
        int fd AUTO_CLOSE = open_regular(root, path, O_RDONLY, ret_mode);

        return fd < 0 ? fd : noted(root, path, read_all(fd, max, ret, ret_size));
}

bool root_read(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size, GError **error) {
        mode_t mode;
        int result = read_file(root, path, max, ret, ret_size, &mode);
        g_autofree char *absolute = result < 0 ? root_absolute(root, path) : NULL;

        if (result == -EFBIG)
                return error_set_errno(error, EFBIG, "%s is longer than %zu bytes", absolute, max);
        return result >= 0 || error_set_errno(error, -result, "Can't read %s", absolute);
}

bool root_read_any(const Root *root, const char *path, size_t max, char **ret, size_t *ret_size, GError **error) {
        g_autoptr(GError) failed = NULL;

        *ret = NULL;
        *ret_size = 0;
        if (root_read(root, path, max, ret, ret_size, &failed) ||
            g_error_matches(failed, G_FILE_ERROR, G_FILE_ERROR_NOENT) ||
            g_error_matches(failed, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
                return true;
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
}

char *root_read_line(const Root *root, const char *path) {
        mode_t mode;

        return root_read_line_mode(root, path, &mode);
}

char *root_read_line_mode(const Root *root, const char *path, mode_t *ret_mode) {
        g_autofree char *text = NULL;

        if (read_file(root, path, LINE_FILE_MAX, &text, NULL, ret_mode) < 0 || !text)
                return NULL;
        text[strcspn(text, "\n")] = 0;
        return g_utf8_make_valid(text, -1);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Closes @directory: 0 or -errno. */
static int read_names(DIR *directory, GPtrArray *names) {
        const struct dirent *entry;
        int result;

        while (errno = 0, (entry = readdir(directory)))
                if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, ".."))
                        g_ptr_array_add(names, g_strdup(entry->d_name));
        result = -errno;
        closedir(directory);
        return result;
}

GStrv root_list(const Root *root, const char *path) {
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        int fd = root_open(root, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        DIR *directory = fd < 0 ? NULL : fdopendir(fd);

        if (directory)
                root_note(root, path, read_names(directory, names));
        else if (fd >= 0) {
                root_note(root, path, -errno);
                close(fd);
        }
        g_ptr_array_sort(names, compare_names);
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

char *root_read_link(const Root *root, const char *path) {
        int fd AUTO_CLOSE = root_open(root, path, O_PATH | O_NOFOLLOW);
        char target[PATH_MAX];
        ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));

        if (fd >= 0 && size < 0)
                root_note(root, path, -errno);
        return size < 0 ? NULL : g_utf8_make_valid(target, size);
}

bool root_exists(const Root *root, const char *path) {
        return root_stat(root, path, &(struct stat) {}) >= 0;
}

int root_stat(const Root *root, const char *path, struct stat *ret) {
        int fd AUTO_CLOSE = root_open(root, path, O_PATH);

        return fd < 0 ? fd : fstat(fd, ret) < 0 ? noted(root, path, -errno) : 0;
}

/* The directory of the device nodes, and the node in it: 0 or -errno. */
static int stat_device(const Root *root, const char *name, struct stat *ret) {
        int fd AUTO_CLOSE = root->devices ? open(root->devices, O_PATH | O_DIRECTORY | O_CLOEXEC)
                                          : open_beneath(root, "dev", O_PATH | O_DIRECTORY);

        if (fd < 0)
                return root->devices ? -errno : fd;
        return fstatat(fd, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int root_stat_device(const Root *root, const char *name, struct stat *ret) {
        g_autofree char *path = root_device_path(root, name);
        int result;

        if (!*name || strchr(name, '/'))
                return -EINVAL;
        do
                result = stat_device(root, name, ret);
        while (result == -EINTR);
        if (result < 0 && fault_is(name, -result))
                fault_note(path, -result);
        return result;
}
