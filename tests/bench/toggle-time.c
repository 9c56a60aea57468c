/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a change of a module's parameter takes: our method from call to reply, and in turns with
 * it the bare modprobe -r and modprobe. The parameter is a switch that is on. Between two
 * measurements udev is let finish. Prints a line for each pair: ours, theirs, and of each how long
 * there was no device of KVM's, from the kernel's own event to the next.
 *
 *     toggle-time PAIRS MODULE PARAMETER */

#include <linux/netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define KERNEL_EVENTS 1U
#define REMOVED "remove@/devices/virtual/misc/kvm"
#define ADDED "add@/devices/virtual/misc/kvm"

static _Atomic uint64_t removed, added;

static int listen_to_kernel(void) {
        const union {
                struct sockaddr any;
                struct sockaddr_nl netlink;
        } address = {.netlink = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_EVENTS}};
        const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        if (fd < 0 || bind(fd, &address.any, sizeof address.netlink) < 0)
                die("the kernel's events", strerror(errno));
        return fd;
}

/* Until the program ends. */
static void *watch_device(void *argument) {
        const int *fd = argument;
        char text[8192];

        for (;;) {
                const ssize_t size = recv(*fd, text, sizeof text - 1, 0);
                if (size < 0 && errno != EINTR)
                        die("the kernel's events", strerror(errno));
                if (size <= 0)
                        continue;
                text[size] = 0;
                if (strcmp(text, REMOVED) == 0)
                        removed = now_ns();
                else if (strcmp(text, ADDED) == 0)
                        added = now_ns();
        }
        return NULL;
}

/* The last time that the device was away. */
static uint64_t absence(void) {
        if (removed == 0 || added <= removed)
                die("toggle-time", "the kernel told of no device that went and came");
        return added - removed;
}

static void run(const char *const *argv) {
        if (run_quietly(argv) != 0)
                die(argv[0], "failed");
}

static void settle(void) {
        run((const char *[]) {"udevadm", "settle", NULL});
}

static uint64_t time_theirs(const char *module, const char *parameter, const char *value) {
        char option[256];
        const uint64_t begin = now_ns();

        (void) snprintf(option, sizeof option, "%s=%s", parameter, value);
        run((const char *[]) {"modprobe", "-r", module, NULL});
        run((const char *[]) {"modprobe", module, option, NULL});
        return now_ns() - begin;
}

/* Ours always changes the value, so that it has files to write and a module to reload. Each is
 * first as often as the other; theirs then loads what there was. */
static void measure_pair(sd_bus *bus, const char *module, const char *parameter, long pair) {
        const char *before = pair % 2 == 0 ? "1" : "0", *after = pair % 2 == 0 ? "0" : "1";
        const bool theirs_first = pair / 2 % 2 == 1;
        uint64_t times[2], away[2];

        for (int turn = 0; turn < 2; turn++) {
                const bool theirs = (turn == 0) == theirs_first;

                settle();
                times[theirs] = theirs ? time_theirs(module, parameter, theirs_first ? before : after)
                                       : change_ns(bus, module, parameter, after);
                settle();
                away[theirs] = absence();
        }
        (void) printf("%lu %lu %lu %lu\n", (unsigned long) times[0], (unsigned long) times[1], (unsigned long) away[0],
                      (unsigned long) away[1]);
}

int main(int argc, char **argv) {
        sd_bus *bus = NULL;
        pthread_t watcher;
        int events;

        if (argc != 4)
                die("toggle-time", "PAIRS MODULE PARAMETER are expected");
        events = listen_to_kernel();
        check(-pthread_create(&watcher, NULL, watch_device, &events), "a thread");
        check(sd_bus_open_system(&bus), "system bus");
        for (long pair = 0, pairs = strtol(argv[1], NULL, 10); pair < pairs; pair++)
                measure_pair(bus, argv[2], argv[3], pair);
        (void) sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
