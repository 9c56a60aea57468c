/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A virtual machine whose exits are known: for each line on standard input, a number, its guest
 * executes cpuid so many times, then hlt once, and stands still. It prints its process and
 * descriptor as debugfs has them, and "done" for each line.
 *
 *     vm-ticks */

#include <assert.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE 0x1000

/* again: cpuid; dec si; jnz again; hlt; jmp again */
static const unsigned char code[] = {0x0f, 0xa2, 0x4e, 0x75, 0xfb, 0xf4, 0xeb, 0xf8};

static int check(int result) {
        if (result >= 0)
                return result;
        perror("vm-ticks");
        exit(EXIT_FAILURE);
}

static int make_vm(int kvm) {
        const int vm = check(ioctl(kvm, KVM_CREATE_VM, 0));
        unsigned char *memory = mmap(NULL, 2 * CODE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct kvm_userspace_memory_region region = {.memory_size = 2 * CODE};

        assert(memory != MAP_FAILED);
        memcpy(memory + CODE, code, sizeof code);
        region.userspace_addr = (unsigned long) memory;
        (void) check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
        return vm;
}

/* 16-bit code at the start. */
static int make_vcpu(int vm) {
        const int vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0));
        struct kvm_sregs sregs;

        (void) check(ioctl(vcpu, KVM_GET_SREGS, &sregs));
        sregs.cs.base = sregs.cs.selector = 0;
        (void) check(ioctl(vcpu, KVM_SET_SREGS, &sregs));
        return vcpu;
}

/* Up to the hlt; a signal is none of its business. */
static void tick(int vcpu, const struct kvm_run *run, unsigned long times, bool first) {
        struct kvm_regs regs;

        (void) check(ioctl(vcpu, KVM_GET_REGS, &regs));
        regs.rsi = times;
        if (first)
                regs.rip = CODE, regs.rflags = 2;
        (void) check(ioctl(vcpu, KVM_SET_REGS, &regs));
        (void) check(ioctl(vcpu, KVM_RUN, 0));
        if (run->exit_reason == KVM_EXIT_HLT)
                return;
        (void) fprintf(stderr, "vm-ticks: exit %u\n", run->exit_reason);
        exit(EXIT_FAILURE);
}

int main(void) {
        const int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC));
        const int vm = make_vm(kvm), vcpu = make_vcpu(vm);
        const size_t size = (size_t) check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
        const struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
        char line[32];

        assert(run != MAP_FAILED);
        (void) printf("%d-%d\n", getpid(), vm);
        (void) fflush(stdout);
        for (bool first = true; fgets(line, sizeof line, stdin); first = false) {
                tick(vcpu, run, strtoul(line, NULL, 10), first);
                (void) puts("done");
                (void) fflush(stdout);
        }
        return EXIT_SUCCESS;
}
