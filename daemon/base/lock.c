/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One lock (flock(2)), asked for once and never waited for: a service that is started again has
 * ended before. */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "lock.h"

/* A file of its own, since whoever can open one can lock it: this one is root's alone. */
static int open_file(const Root *root) {
        g_autofree char *name = g_path_get_basename(LOCK_PATH), *folder = g_path_get_dirname(LOCK_PATH);
        int fd, directory = root_open(root, folder, O_RDONLY | O_DIRECTORY);

        if (directory == -ENOENT) {
                g_autofree char *path = root_absolute(root, folder);
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return -1;
                directory = root_open(root, folder, O_RDONLY | O_DIRECTORY);
        }
        if (directory < 0)
                return -1;
        fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        (void) close(directory);
        return fd;
}

/* Looking at a tree of files leaves nothing in it: there the folder itself is locked. */
static int open_tree(const Root *root) {
        int fd = root_open(root, "", O_RDONLY | O_DIRECTORY);

        return fd < 0 ? -1 : fd;
}

int lock_take(const Root *root, GError **error) {
        const bool machine = root_is_machine(root);
        g_autofree char *path = root_absolute(root, machine ? LOCK_PATH : "");
        int fd = machine ? open_file(root) : open_tree(root);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) >= 0)
                return fd;
        if (errno == EWOULDBLOCK)
                g_set_error(error, CONDITION, CONDITION_BUSY,
                            "Another nestvirtd looks after this host already (it has locked %s). Ask that one "
                            "(nestvirtctl, without ./run), or end it first",
                            path);
        (void) close(fd);
        return -1;
}
