/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens /dev/kvm, or makes and mends its node, and says by its exit status (device-node.h) what
 * came of it; or prints what the device and the CPU's registers say (device-facts.h). It lives for
 * a moment, so that nothing keeps KVM's module from being reloaded. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device-facts.h"
#include "device-node.h"

/* The one that there has been since 2007 (Documentation/virt/kvm/api.rst, KVM_GET_API_VERSION). */
#define API_VERSION 12

static int fail(const char *path, const char *what) {
        (void) fprintf(stderr, "nestvirt-device: Cannot %s %s: %s\n", what, path, strerror(errno));
        return errno == EPERM || errno == EACCES ? DEVICE_DENIED : DEVICE_FAILED;
}

static int judge_open_error(void) {
        switch (errno) {
        case EPERM:
        case EACCES:
                return DEVICE_DENIED;
        case ENOENT:
                return DEVICE_MISSING;
        default:
                return DEVICE_BROKEN; /* the node has nothing behind it: ENXIO, ENODEV */
        }
}

static int check(const char *path) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return judge_open_error();
        if (node_is_wrong(&st))
                return DEVICE_WRONG_NODE;
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        if (fd < 0)
                return judge_open_error();
        const int version = ioctl(fd, KVM_GET_API_VERSION, 0);
        (void) close(fd);
        return version == API_VERSION ? DEVICE_OK : DEVICE_BROKEN;
}

/* What is there instead goes, unless it is a folder with something in it. */
static int make(const char *path) {
        if (unlink(path) < 0 && errno != ENOENT && (errno != EISDIR || rmdir(path) < 0))
                return fail(path, "remove");
        if (mknod(path, S_IFCHR | 0600, makedev(NODE_MAJOR, NODE_MINOR)) < 0)
                return fail(path, "make");
        return DEVICE_OK;
}

/* By a descriptor that is known to be the node, so that nothing else gets its owner or mode. */
static int mend(const char *path, gid_t group) {
        char link[sizeof "/proc/self/fd/" + 11];
        struct stat st;
        int r = DEVICE_OK;
        int fd = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || fstat(fd, &st) < 0 || node_is_wrong(&st)) {
                r = fail(path, "look at");
                goto finish;
        }
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (node_is_others(&st, group) && fchownat(fd, "", 0, group, AT_EMPTY_PATH) < 0)
                r = fail(path, "change the owner of");
        else if (node_is_closed(&st) && chmod(link, (st.st_mode & 07777) | NODE_MODE) < 0)
                r = fail(path, "change the mode of");

finish:
        if (fd >= 0)
                (void) close(fd);
        return r;
}

static int ensure(const char *path) {
        const struct group *group = getgrnam(NODE_GROUP);
        struct stat st;
        int r = DEVICE_OK;

        if (lstat(path, &st) < 0 ? errno == ENOENT : node_is_wrong(&st))
                r = make(path);
        return r == DEVICE_OK ? mend(path, group ? group->gr_gid : 0) : r;
}

int main(int argc, char **argv) {
        const char *path = argc == 3 ? argv[2] : "/dev/kvm";

        if (argc == 2 || argc == 3) {
                if (strcmp(argv[1], "check") == 0)
                        return check(path);
                if (strcmp(argv[1], "ensure") == 0)
                        return ensure(path);
                if (strcmp(argv[1], "facts") == 0)
                        return facts_print(path) ? DEVICE_OK : fail("facts", "print");
        }
        (void) fprintf(stderr, "Usage: nestvirt-device check|ensure|facts [PATH]\n");
        return DEVICE_USAGE;
}
