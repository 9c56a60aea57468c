/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of the kernel's events are about KVM, and that nobody but the kernel is listened to. */

#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uevents.h"

#define EVENT(text) text, sizeof(text)
#define VM_MADE                                                                                                \
        "change@/devices/virtual/misc/kvm\0ACTION=change\0DEVPATH=/devices/virtual/misc/kvm\0SUBSYSTEM=misc\0" \
        "MAJOR=10\0MINOR=232\0DEVNAME=kvm\0CREATED=31\0COUNT=1\0EVENT=create\0PID=675\0SEQNUM=1234"

static void test_about_kvm(void) {
        g_assert_cmpint(uevent_judge(EVENT(VM_MADE)), ==, UEVENT_KVM);
        g_assert_cmpint(uevent_judge(EVENT("add@/module/kvm\0ACTION=add\0DEVPATH=/module/kvm\0SUBSYSTEM=module")), ==,
                        UEVENT_KVM);
        g_assert_cmpint(uevent_judge(EVENT("remove@/module/kvm_amd\0ACTION=remove\0DEVPATH=/module/"
                                           "kvm_amd\0SUBSYSTEM=module")),
                        ==, UEVENT_KVM);
}

static void test_about_processors(void) {
        g_assert_cmpint(uevent_judge(EVENT("online@/devices/system/cpu/cpu1\0ACTION=online\0SUBSYSTEM=cpu")), ==,
                        UEVENT_CPUS);
        g_assert_cmpint(uevent_judge(EVENT("add@/x\0SUBSYSTEM=cpuid\0DEVNAME=cpu/0/cpuid")), ==, UEVENT_NONE);
}

static void test_about_others(void) {
        g_assert_cmpint(uevent_judge(EVENT("add@/module/kvmgt\0DEVPATH=/module/kvmgt\0SUBSYSTEM=module")), ==,
                        UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("add@/module/dm_mod\0DEVPATH=/module/dm_mod\0SUBSYSTEM=module")), ==,
                        UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("add@/x\0SUBSYSTEM=misc\0DEVNAME=vhost-net")), ==, UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("add@/x\0SUBSYSTEM=misc")), ==, UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("add@/x\0SUBSYSTEM=module")), ==, UEVENT_NONE);
}

static void test_garbage(void) {
        g_assert_cmpint(uevent_judge("", 0), ==, UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("")), ==, UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("libudev\0\376\355\312\376")), ==, UEVENT_NONE);
        /* Without the last NUL, which would be read beyond. */
        g_assert_cmpint(uevent_judge("x@y\0SUBSYSTEM=misc\0DEVNAME=kvm",
                                     sizeof("x@y\0SUBSYSTEM=misc\0DEVNAME=kvm") - 1),
                        ==, UEVENT_NONE);
        g_assert_cmpint(uevent_judge(EVENT("SUBSYSTEMS=misc\0DEVNAME=kvm")), ==, UEVENT_NONE);
}

/* A process that sends what looks like an event of the kernel's. */
static void test_others_are_not_listened_to(void) {
        int listener = uevents_open(), forger = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        union {
                struct sockaddr_nl netlink;
                struct sockaddr any;
        } address = {};
        socklen_t size = sizeof address.netlink;

        g_assert_cmpint(listener, >=, 0);
        g_assert_cmpint(forger, >=, 0);
        g_assert_cmpint(getsockname(listener, &address.any, &size), ==, 0);
        address.netlink.nl_groups = 0;
        g_assert_cmpint(sendto(forger, VM_MADE, sizeof VM_MADE, 0, &address.any, size), ==, sizeof VM_MADE);

        struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
        g_assert_cmpint(poll(&poll_fd, 1, -1), ==, 1);
        g_assert_cmpint(uevents_read(listener), ==, UEVENT_NONE);
        (void) close(forger);
        (void) close(listener);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/uevents/about-kvm", test_about_kvm);
        g_test_add_func("/uevents/about-processors", test_about_processors);
        g_test_add_func("/uevents/about-others", test_about_others);
        g_test_add_func("/uevents/garbage", test_garbage);
        g_test_add_func("/uevents/others-are-not-listened-to", test_others_are_not_listened_to);
        return g_test_run();
}
