/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded into the daemon while valgrind counts its instructions: openat2(2), which the valgrind
 * of Debian 12 does not know, and random numbers that are the same in each run, as they decide how
 * long the chains of libsystemd's hash tables are. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGUMENTS 6

/* The tree of files has no link that leads out of it, so that beneath it an ordinary openat(2)
 * finds the same. */
static int open_beneath(int fd, const char *path, const struct open_how *how) {
        while (*path == '/')
                path++;
        return openat(fd, *path ? path : ".", (int) how->flags, (mode_t) how->mode);
}

/* All that can be given are passed on, as the C library does: the kernel knows how many there
 * are. */
long syscall(long number, ...) {
        static long (*next)(long, ...);
        long given[ARGUMENTS];
        va_list arguments;

        va_start(arguments, number);
        for (int i = 0; i < ARGUMENTS; i++)
                given[i] = va_arg(arguments, long);
        va_end(arguments);
        if (number == SYS_openat2)
                return open_beneath((int) given[0], (const char *) given[1], (const struct open_how *) given[2]);
        if (!next)
                next = (long (*)(long, ...)) dlsym(RTLD_NEXT, "syscall");
        if (!next) {
                errno = ENOSYS;
                return -1;
        }
        return next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

ssize_t getrandom(void *buffer, size_t size, unsigned flags) {
        memset(buffer, 0x2a, size);
        return (ssize_t) size;
}
