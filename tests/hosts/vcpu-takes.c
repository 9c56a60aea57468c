/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A virtual CPU that is given what another host offers, as a migration would: each pair of a
 * fingerprint's ability on the command line, "msr.48d=0xff00000016", and then the state of a guest
 * of its own. Prints "taken NAME" or "refused NAME" for each that KVM can be given; the size of the
 * nested state is QEMU's to judge.
 *
 *     vcpu-takes NAME=VALUE… */

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY (16U * 4096U)
#define ENTRIES_MAX 512U
#define EFER_SVME (1U << 12)
#define CR0_PE_PG 0x80000001U

static int check(int result, const char *what) {
        if (result >= 0)
                return result;
        perror(what);
        exit(EXIT_FAILURE);
}

static bool find(char **pairs, const char *name, uint64_t *ret) {
        const size_t size = strlen(name);

        for (; *pairs; pairs++)
                if (strncmp(*pairs, name, size) == 0 && (*pairs)[size] == '=') {
                        *ret = strtoull(*pairs + size + 1, NULL, 16);
                        return true;
                }
        return false;
}

static void say(const char *name, bool taken) {
        (void) printf("%s %s\n", taken ? "taken" : "refused", name);
}

static int make_vcpu(int kvm) {
        const int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
        void *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct kvm_userspace_memory_region region = {.memory_size = MEMORY, .userspace_addr = (unsigned long) memory};

        if (memory == MAP_FAILED)
                exit(EXIT_FAILURE);
        (void) check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
        return check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
}

/* All that this host offers; with SVM, what the other one does of that. */
static void set_cpuid(int kvm, int vcpu, char **pairs) {
        struct kvm_cpuid2 *list = calloc(1, sizeof *list + ENTRIES_MAX * sizeof *list->entries);
        uint64_t features;

        if (!list)
                exit(EXIT_FAILURE);
        list->nent = ENTRIES_MAX;
        (void) check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, list), "KVM_GET_SUPPORTED_CPUID");
        for (unsigned i = 0; i < list->nent; i++)
                if (list->entries[i].function == 0x8000000a && find(pairs, "cpuid.8000000a.edx", &features))
                        list->entries[i].edx = (uint32_t) features;
        (void) check(ioctl(vcpu, KVM_SET_CPUID2, list), "KVM_SET_CPUID2");
        free(list);
}

/* Those that can be set, as KVM_SET_MSRS has to have them: the pin-based controls before what
 * depends on them. */
static void set_registers(int vcpu, char **pairs) {
        static const uint32_t order[] = {0x480, 0x48d, 0x48e, 0x48f, 0x490, 0x48b,
                                         0x485, 0x486, 0x488, 0x48a, 0x48c, 0x491};
        struct kvm_msrs *ask = calloc(1, sizeof *ask + sizeof *ask->entries);

        (void) check(ask ? 0 : -1, "calloc");
        ask->nmsrs = 1;
        for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
                char name[sizeof "msr." + 8];
                uint64_t value;
                (void) snprintf(name, sizeof name, "msr.%x", order[i]);
                if (!find(pairs, name, &value))
                        continue;
                ask->entries[0] = (struct kvm_msr_entry) {.index = order[i], .data = value};
                say(name, ioctl(vcpu, KVM_SET_MSRS, ask) == 1);
        }
        free(ask);
}

/* In VMX operation, no VMCS yet. */
static void set_vmx_state(int vcpu) {
        struct kvm_nested_state state = {.format = KVM_STATE_NESTED_FORMAT_VMX, .size = sizeof state};

        state.hdr.vmx.vmxon_pa = 0x1000;
        state.hdr.vmx.vmcs12_pa = UINT64_MAX;
        say("vmx", ioctl(vcpu, KVM_SET_NESTED_STATE, &state) == 0);
}

/* Offsets in a VMCB: AMD's manual, volume 2, appendix B. */
static void fill_vmcb(uint8_t *vmcb, bool npt) {
        uint32_t intercepts = 1; /* VMRUN */
        uint32_t asid = 1;
        uint64_t nested = npt;
        uint64_t efer = EFER_SVME, cr0 = CR0_PE_PG, dr6 = 0xffff0ff0, dr7 = 0x400, rflags = 2;

        memcpy(vmcb + 0x10, &intercepts, sizeof intercepts);
        memcpy(vmcb + 0x58, &asid, sizeof asid);
        memcpy(vmcb + 0x90, &nested, sizeof nested);
        memcpy(vmcb + 0x400 + 0xd0, &efer, sizeof efer);
        memcpy(vmcb + 0x400 + 0x158, &cr0, sizeof cr0);
        memcpy(vmcb + 0x400 + 0x160, &dr7, sizeof dr7);
        memcpy(vmcb + 0x400 + 0x168, &dr6, sizeof dr6);
        memcpy(vmcb + 0x400 + 0x170, &rflags, sizeof rflags);
}

/* In the guest of the guest, with nested paging where the other host has it. */
static void set_svm_state(int vcpu, uint64_t features) {
        struct {
                struct kvm_nested_state head;
                uint8_t vmcb[4096];
        } state = {.head = {.format = KVM_STATE_NESTED_FORMAT_SVM,
                            .flags = KVM_STATE_NESTED_GUEST_MODE | KVM_STATE_NESTED_GIF_SET,
                            .size = sizeof state}};
        struct kvm_sregs registers;

        (void) check(ioctl(vcpu, KVM_GET_SREGS, &registers), "KVM_GET_SREGS");
        registers.efer |= EFER_SVME;
        registers.cr0 = 0x11;
        if (ioctl(vcpu, KVM_SET_SREGS, &registers) < 0) {
                say("svm", false);
                return;
        }
        state.head.hdr.svm.vmcb_pa = 0x1000;
        fill_vmcb(state.vmcb, features & 1);
        say("svm", ioctl(vcpu, KVM_SET_NESTED_STATE, &state) == 0);
}

int main(int argc, char **argv) {
        const int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
        const int vcpu = make_vcpu(kvm);
        uint64_t vmx = 0, svm = 0, features = 0;

        set_cpuid(kvm, vcpu, argv + 1);
        (void) find(argv + 1, "vmx", &vmx);
        (void) find(argv + 1, "svm", &svm);
        (void) find(argv + 1, "cpuid.8000000a.edx", &features);
        if (vmx) {
                set_registers(vcpu, argv + 1);
                set_vmx_state(vcpu);
        }
        if (svm)
                set_svm_state(vcpu, features);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
