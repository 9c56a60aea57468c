/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The comparison. It must not know what is in the files. */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <time.h>

#include "cleanup.h"
#include "stamps.h"

/* The time of a change is that of the last tick (kernel/time/timekeeping.c,
 * ktime_get_coarse_real_ts64(); a hundredth of a second at HZ=100), on some file systems that of
 * the second. */
#define TICK_NSEC ((gint64) 100 * 1000 * 1000)
#define COARSE_NSEC ((gint64) 2 * 1000 * 1000 * 1000)
/* fs/xfs/libxfs/xfs_format.h, XFS_SB_MAGIC; linux/magic.h has the others. */
#define XFS_MAGIC 0x58465342

typedef struct Stamp {
        char *path;
        int error; /* 0, or what stat(2) failed with, negative */
        struct stat st;
} Stamp;

struct Stamps {
        GArray *all;
        struct timespec begun;
        bool proof;     /* none of them is in doubt */
        dev_t device;   /* the one that was last looked at, and */
        bool is_keeper; /* whether its file system keeps its times itself; false at the beginning */
};

static void stamp_clear(Stamp *stamp) {
        g_free(stamp->path);
}

Stamps *stamps_new(void) {
        Stamps *stamps = g_new(Stamps, 1);

        *stamps = (Stamps) {.all = g_array_new(FALSE, FALSE, sizeof(Stamp)), .proof = true};
        g_array_set_clear_func(stamps->all, (GDestroyNotify) stamp_clear);
        if (clock_gettime(CLOCK_REALTIME, &stamps->begun) < 0)
                stamps->proof = false;
        return stamps;
}

void stamps_free(Stamps *stamps) {
        if (!stamps)
                return;
        g_array_unref(stamps->all);
        g_free(stamps);
}

/* One of this kernel's own, whose files nobody changes from elsewhere. */
static bool is_keeper(int fd) {
        struct statfs fs;

        if (fstatfs(fd, &fs) < 0)
                return false;
        switch (fs.f_type) {
        case BTRFS_SUPER_MAGIC:
        case EXT4_SUPER_MAGIC:
        case F2FS_SUPER_MAGIC:
        case OVERLAYFS_SUPER_MAGIC:
        case SQUASHFS_MAGIC:
        case TMPFS_MAGIC:
        case XFS_MAGIC:
                return true;
        default:
                return false;
        }
}

static gint64 nsec_between(const struct timespec *before, const struct timespec *after) {
        return ((gint64) after->tv_sec - before->tv_sec) * 1000 * 1000 * 1000 + after->tv_nsec - before->tv_nsec;
}

static bool is_old(const Stamps *stamps, const struct stat *st) {
        /* Without a fraction it may be one that is kept in seconds. */
        const gint64 age = nsec_between(&st->st_ctim, &stamps->begun);

        return age > (st->st_ctim.tv_nsec == 0 ? COARSE_NSEC : TICK_NSEC);
}

int stamps_stat(Stamps *stamps, const Root *root, const char *path, struct stat *ret) {
        if (!stamps)
                return root_stat(root, path, ret);

        int fd AUTO_CLOSE = root_open(root, path, O_PATH);
        int result = fd < 0 ? fd : fstat(fd, ret) < 0 ? -errno : 0;
        Stamp stamp = {.path = g_strdup(path), .error = result};
        if (fd >= 0 && result < 0)
                root_note(root, path, result);
        if (result >= 0) {
                stamp.st = *ret;
                if (!stamps->is_keeper || stamps->device != ret->st_dev)
                        stamps->is_keeper = is_keeper(fd);
                stamps->device = ret->st_dev;
                stamps->proof &= stamps->is_keeper && is_old(stamps, ret);
        }
        g_array_append_val(stamps->all, stamp);
        return result;
}

static bool same_time(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
               a->st_rdev == b->st_rdev && a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim) &&
               same_time(&a->st_ctim, &b->st_ctim);
}

bool stamps_hold(const Stamps *stamps, const Root *root) {
        for (unsigned i = 0; stamps->proof && i < stamps->all->len; i++) {
                const Stamp *stamp = &g_array_index(stamps->all, Stamp, i);
                struct stat now;
                int result = root_stat(root, stamp->path, &now);
                if (result != stamp->error || (result >= 0 && !is_same(&stamp->st, &now)))
                        return false;
        }
        return stamps->proof;
}
