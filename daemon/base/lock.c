/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One lock (flock(2)), asked for once and never waited for: a service that is started again has
 * ended before. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "lock.h"

static int open_folder(const Root *root, const char *folder) {
        int directory = root_open(root, folder, O_RDONLY | O_DIRECTORY);

        if (directory == -ENOENT) {
                g_autofree char *path = root_absolute(root, folder);
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return -errno;
                directory = root_open(root, folder, O_RDONLY | O_DIRECTORY);
        }
        return directory;
}

/* A file of its own, since whoever can open one can lock it: this one is root's alone. Where one is
 * there and can't be written any more, it can be locked all the same. */
static int open_file(const Root *root, const char *path) {
        g_autofree char *name = g_path_get_basename(path), *folder = g_path_get_dirname(path);
        int directory AUTO_CLOSE = open_folder(root, folder);
        int fd, result;

        if (directory < 0)
                return directory;
        fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        result = fd < 0 ? -errno : fd;
        if (result == -EROFS)
                fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? result : fd;
}

/* On a disk that is full or read-only the first can't be made, and nobody else has it then: the
 * second is in memory. */
static int open_machine(const Root *root, const char **ret_path) {
        int fd = open_file(root, LOCK_PATH);

        *ret_path = LOCK_PATH;
        if (fd >= 0 || fd == -EACCES || fd == -EPERM)
                return fd;
        *ret_path = LOCK_RUN_PATH;
        return open_file(root, LOCK_RUN_PATH);
}

/* Looking at a tree of files leaves nothing in it: there the folder itself is locked. */
static int open_tree(const Root *root, const char **ret_path) {
        *ret_path = "";
        return root_open(root, "", O_RDONLY | O_DIRECTORY);
}

int lock_take(const Root *root, GError **error) {
        const char *path;
        int fd = root_is_machine(root) ? open_machine(root, &path) : open_tree(root, &path);
        const int result = fd < 0 ? fd : flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
        g_autofree char *absolute = root_absolute(root, path);

        if (result >= 0)
                return fd;
        if (fd >= 0)
                (void) close(fd);
        if (result == -EWOULDBLOCK)
                g_set_error(error, CONDITION, CONDITION_BUSY,
                            "Another nestvirtd looks after this host already (it has locked %s). Ask that one "
                            "(nestvirtctl, without ./run), or end it first",
                            absolute);
        else if (result != -EACCES && result != -EPERM)
                g_set_error(error, CONDITION, CONDITION_INTERNAL,
                            "Can't lock %s (%s), so it can't be told whether another nestvirtd is at work, or whether "
                            "a change was cut short. Mend that, then run: systemctl start nestvirtd.service",
                            absolute, g_strerror(-result));
        return -1;
}
