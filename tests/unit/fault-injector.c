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
static _Thread_local bool armed, paused;
static _Thread_local unsigned calls, failing;
static _Thread_local int failure;
static _Thread_local bool staying;
static _Thread_local char struck[256];
static _Thread_local unsigned syncs;
static const char *refused_name;

void fault_inject(unsigned n, int errnum, bool lasting) {
        armed = true;
        paused = false;
        calls = 0;
        failing = n;
        failure = errnum;
        staying = lasting;
        *struck = 0;
}

unsigned fault_injected(void) {
        armed = false;
        return calls;
}

void fault_pause(bool pause) {
        paused = pause;
}

void fault_refuse_rename(const char *name) {
        refused_name = name;
}

const char *fault_struck(void) {
        return struck;
}

static bool strikes(const char *call, const char *path) {
        if (!armed || paused)
                return false;
        calls++;
        if (calls == failing)
                (void) snprintf(struck, sizeof struck, "%s %s", call, path);
        return failing != 0 && (calls == failing || (calls > failing && staying));
}

static bool fails(const char *call, const char *path) {
        if (failure < 0 || !strikes(call, path))
                return false;
        errno = failure;
        return true;
}

void fault_kill_here(void) {
        if (failure == FAULT_KILL && strikes("", ""))
                _exit(FAULT_KILLED);
}

static bool alteration_fails(const char *call) {
        fault_kill_here();
        return fails(call, "");
}

unsigned fault_syncs(void) {
        return syncs;
}

/* In a way that lets it be called: ISO C has none. */
#define FIND_REAL(name)                                      \
        do {                                                 \
                void *found = dlsym(RTLD_NEXT, name);        \
                memcpy((void *) &real, &found, sizeof real); \
        } while (0)

/* A function of the C library with its arguments, and what it returns when it fails. */
#define STAND_BEFORE_IF(fault, type, name, parameters, arguments, failed) \
        type name parameters {                                            \
                static __typeof__(name) *real;                            \
                if (fault)                                                \
                        return failed;                                    \
                if (!real)                                                \
                        FIND_REAL(#name);                                 \
                return real arguments;                                    \
        }
#define STAND_BEFORE(type, name, parameters, arguments, failed) \
        STAND_BEFORE_IF(fails(#name, ""), type, name, parameters, arguments, failed)
#define STAND_BEFORE_ALTERING(name, parameters, arguments) \
        STAND_BEFORE_IF(alteration_fails(#name), int, name, parameters, arguments, -1)

/* The mode is there when a file may be made. */
#define STAND_BEFORE_OPEN(name, parameters, arguments)       \
        int name(parameters, int flags, ...) {               \
                static int (*real)(parameters, int, mode_t); \
                va_list list;                                \
                if (fails(#name, path))                      \
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

static bool is_refused(const char *name) {
        if (!refused_name || strcmp(name, refused_name) != 0)
                return false;
        errno = EIO;
        return true;
}

STAND_BEFORE_IF(is_refused(to) || alteration_fails("renameat"), int, renameat,
                (int from_fd, const char *from, int to_fd, const char *to), (from_fd, from, to_fd, to), -1)

/* ThreadSanitizer stands in the same places, and is called before it is ready when somebody stands
 * before it: there a rename can be refused, and that is all. */
#ifndef __SANITIZE_THREAD__
STAND_BEFORE_OPEN(open, const char *path, path)
STAND_BEFORE_OPEN(open64, const char *path, path)
STAND_BEFORE_OPEN(openat, AT, AT_VALUES)
STAND_BEFORE_OPEN(openat64, AT, AT_VALUES)
STAND_BEFORE(ssize_t, read, (int fd, void *buffer, size_t size), (fd, buffer, size), -1)
STAND_BEFORE(ssize_t, pread, (int fd, void *buffer, size_t size, off_t offset), (fd, buffer, size, offset), -1)
STAND_BEFORE(int, faccessat, (AT, int mode, int flags), (fd, path, mode, flags), -1)
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

static bool sync_fails(void) {
        syncs++;
        return alteration_fails("fsync");
}

STAND_BEFORE_IF(sync_fails(), int, fsync, (int fd), (fd), -1)
STAND_BEFORE_ALTERING(fchmod, (int fd, mode_t mode), (fd, mode))
STAND_BEFORE_ALTERING(mkdirat, (AT, mode_t mode), (fd, path, mode))
STAND_BEFORE_ALTERING(unlinkat, (AT, int flags), (fd, path, flags))

ssize_t write(int fd, const void *buffer, size_t size) {
        static ssize_t (*real)(int, const void *, size_t);
        const bool cut = failure == FAULT_SHORT && strikes("write", "");

        if (alteration_fails("write"))
                return -1;
        if (!real)
                FIND_REAL("write");
        return real(fd, buffer, cut ? (size + 1) / 2 : size);
}

/* What was written may fail as late as here. The descriptor is gone then as well (close(2)). */
int close(int fd) {
        static int (*real)(int);
        const int flags = armed && !paused ? fcntl(fd, F_GETFL) : O_RDONLY;
        const bool failed = (flags & (O_WRONLY | O_RDWR)) != 0 && fails("close", "");

        if (!real)
                FIND_REAL("close");
        const int result = real(fd);
        if (failed)
                errno = failure;
        return failed ? -1 : result;
}

/* openat2(2) has no function of its own. More is taken over than there may be, as the C library
 * does. */
__attribute__((no_sanitize_address)) long syscall(long number, ...) {
        static long (*real)(long, long, long, long, long, long, long);
        long a[6];
        va_list list;

        va_start(list, number);
        for (unsigned i = 0; i < 6; i++)
                a[i] = va_arg(list, long);
        va_end(list);
        if (number == SYS_openat2 && fails("openat2", (const char *) a[1]))
                return -1;
        if (!real)
                FIND_REAL("syscall");
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#endif
