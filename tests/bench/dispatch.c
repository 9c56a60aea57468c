/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded into the daemon: how long its loop is busy with one thing at the most, in CPU time of
 * the thread that has the loop, so that what else the machine does is not in it. sd-event comes
 * back to epoll_wait(2) after each source that it has dispatched. What is found is written into the
 * file that the environment names in DISPATCH_FILE, as a number of nanoseconds, which whoever
 * measures sets to 0 before it begins. */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS 6

static _Atomic uint64_t *longest;
static uint64_t begun;

static uint64_t cpu_ns(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (uint64_t) now.tv_sec * 1000000000U + (uint64_t) now.tv_nsec;
}

__attribute__((constructor)) static void set_up(void) {
        const char *file = getenv("DISPATCH_FILE");
        const int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
        void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *longest, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (fd >= 0)
                (void) close(fd);
        if (memory != MAP_FAILED)
                longest = memory;
}

/* Other threads may wait as well, which is not the loop. */
static bool is_loop(void) {
        return longest && getpid() == gettid();
}

static void before_wait(void) {
        const uint64_t now = is_loop() && begun > 0 ? cpu_ns() - begun : 0;

        if (now > 0 && now > atomic_load(longest))
                atomic_store(longest, now);
}

static void after_wait(void) {
        if (is_loop())
                begun = cpu_ns();
}

static void *next_of(const char *name) {
        void *next = dlsym(RTLD_NEXT, name);

        if (!next)
                abort();
        return next;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
        before_wait();
        const int n = epoll_pwait(fd, events, max, timeout, NULL);
        after_wait();
        return n;
}

int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout, const sigset_t *signals) {
        static int (*next)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);

        if (!next)
                next = (int (*)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *)) next_of(
                                "epoll_pwait2");
        before_wait();
        const int n = next(fd, events, max, timeout, signals);
        after_wait();
        return n;
}

/* So does a libsystemd that was built with an older C library; all that can be given are passed on
 * (steady.c). */
long syscall(long number, ...) {
        static long (*next)(long, ...);
        long given[ARGUMENTS];
        va_list arguments;

        va_start(arguments, number);
        for (int i = 0; i < ARGUMENTS; i++)
                given[i] = va_arg(arguments, long);
        va_end(arguments);
        if (!next)
                next = (long (*)(long, ...)) next_of("syscall");
        if (number == SYS_epoll_pwait2)
                before_wait();
        const long result = next(number, given[0], given[1], given[2], given[3], given[4], given[5]);
        if (number == SYS_epoll_pwait2)
                after_wait();
        return result;
}
