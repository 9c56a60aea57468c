/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands before the C library's functions, which do the rest. What is linked with is asked for by
 * name, so that a library's calls come here as well. */

/* Names of their own for what takes 64 bits. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#define _LARGEFILE64_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fault-injector.h"

/* One thread alone counts. */
static _Thread_local bool armed;
static _Thread_local unsigned calls, failing;
static _Thread_local int failure;
static _Thread_local bool staying;

void fault_inject(unsigned n, int errnum, bool lasting) {
        armed = true;
        calls = 0;
        failing = n;
        failure = errnum;
        staying = lasting;
}

unsigned fault_injected(void) {
        armed = false;
        return calls;
}

static bool fails(void) {
        if (!armed)
                return false;
        calls++;
        if (failing == 0 || calls < failing || (calls > failing && !staying))
                return false;
        errno = failure;
        return true;
}

/* In a way that lets it be called: ISO C has none. */
#define FIND_REAL(name)                                      \
        do {                                                 \
                void *found = dlsym(RTLD_NEXT, name);        \
                memcpy((void *) &real, &found, sizeof real); \
        } while (0)

/* A function of the C library with its arguments, and what it returns when it fails. */
#define STAND_BEFORE(type, name, parameters, arguments, failed) \
        type name parameters {                                  \
                static type(*real) parameters;                  \
                if (fails())                                    \
                        return failed;                          \
                if (!real)                                      \
                        FIND_REAL(#name);                       \
                return real arguments;                          \
        }

/* The mode is there when a file may be made. */
#define STAND_BEFORE_OPEN(name, parameters, arguments)       \
        int name(parameters, int flags, ...) {               \
                static int (*real)(parameters, int, mode_t); \
                va_list list;                                \
                if (fails())                                 \
                        return -1;                           \
                if (!real)                                   \
                        FIND_REAL(#name);                    \
                va_start(list, flags);                       \
                const mode_t mode = va_arg(list, mode_t);    \
                va_end(list);                                \
                return real(arguments, flags, mode);         \
        }
#define AT int fd, const char *path
#define AT_VALUES fd, path

STAND_BEFORE_OPEN(open, const char *path, path)
STAND_BEFORE_OPEN(open64, const char *path, path)
STAND_BEFORE_OPEN(openat, AT, AT_VALUES)
STAND_BEFORE_OPEN(openat64, AT, AT_VALUES)
STAND_BEFORE(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size), -1)
STAND_BEFORE(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset), (fd, buffer, size, offset), -1)
STAND_BEFORE(int, fstat, (int fd, struct stat *st), (fd, st), -1)
STAND_BEFORE(int, fstat64, (int fd, struct stat64 *st), (fd, st), -1)
STAND_BEFORE(int, stat, (const char *path, struct stat *st), (path, st), -1)
STAND_BEFORE(int, stat64, (const char *path, struct stat64 *st), (path, st), -1)
STAND_BEFORE(int, fstatat, (AT, struct stat *st, int flags), (fd, path, st, flags), -1)
STAND_BEFORE(int, fstatat64, (AT, struct stat64 *st, int flags), (fd, path, st, flags), -1)
STAND_BEFORE(ssize_t, readlinkat, (AT, char *buffer, size_t size), (fd, path, buffer, size), -1)
STAND_BEFORE(DIR *, fdopendir, (int fd), (fd), NULL)
STAND_BEFORE(struct dirent *, readdir, (DIR * directory), (directory), NULL)
STAND_BEFORE(struct dirent64 *, readdir64, (DIR * directory), (directory), NULL)
STAND_BEFORE(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
STAND_BEFORE(FILE *, fdopen, (int fd, const char *mode), (fd, mode), NULL)
STAND_BEFORE(void *, mmap, (void *at, size_t size, int protection, int flags, int fd, off_t offset),
             (at, size, protection, flags, fd, offset), MAP_FAILED)

/* openat2(2) has no function of its own. More is taken over than there may be, as the C library
 * does. */
__attribute__((no_sanitize_address)) long syscall(long number, ...) {
        static long (*real)(long, long, long, long, long, long, long);
        long a[6];
        va_list list;

        if (number == SYS_openat2 && fails())
                return -1;
        if (!real)
                FIND_REAL("syscall");
        va_start(list, number);
        for (unsigned i = 0; i < 6; i++)
                a[i] = va_arg(list, long);
        va_end(list);
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
