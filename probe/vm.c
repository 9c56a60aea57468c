/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes and fills a VM, and reads what it is at. Of nesting it knows only whether KVM says that L2
 * is running. It must not run it: that is run.c's. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layout.h"
#include "vm.h"

/* Present, writable, accessed; dirty; large. */
const PageBits page_bits = {.table = 0x23, .small = 0x63, .large = 0xe3};

#define CR0 0x80050033U /* PE MP ET NE WP AM PG */
#define CR4_PAE 0x20U
#define EFER_LONG_MODE 0x500U /* LME LMA */

#define CREATE_TRIES 10

void *vm_at(const Vm *vm, uint64_t address, size_t size) {
        if (address > MEMORY_SIZE || size > MEMORY_SIZE - address)
                abort();
        return vm->memory + address;
}

void vm_put(Vm *vm, uint64_t address, uint64_t value, size_t size) {
        memcpy(vm_at(vm, address, size), &value, size);
}

uint64_t vm_get(const Vm *vm, uint64_t address, size_t size) {
        uint64_t value = 0;

        memcpy(&value, vm_at(vm, address, size), size);
        return value;
}

void vm_map(Vm *vm, uint64_t tables, const PageBits *bits, bool mapped) {
        vm_put(vm, TABLE(tables, 4), TABLE(tables, 3) | bits->table, 8);
        vm_put(vm, TABLE(tables, 3), TABLE(tables, 2) | bits->table, 8);
        vm_put(vm, TABLE(tables, 2), bits->large, 8);
        vm_put(vm, TABLE(tables, 2) + 8, TABLE(tables, 1) | bits->table, 8);
        for (uint64_t page = 0; page < WINDOW_PAGES; page++)
                vm_put(vm, TABLE(tables, 1) + 8 * page, mapped ? (WINDOW + 0x1000 * page) | bits->small : 0, 8);
}

static void fill_l1_tables(Vm *vm) {
        vm_put(vm, L1_PML4, L1_PDPT | page_bits.table, 8);
        vm_put(vm, L1_PDPT, L1_PD | page_bits.table, 8);
        for (uint64_t i = 0; i < MEMORY_SIZE / MEMORY_PIECE; i++)
                vm_put(vm, L1_PD + 8 * i, MEMORY_PIECE * i | page_bits.large, 8);
}

static void fill_descriptors(Vm *vm) {
        vm_put(vm, GDT + CODE_SELECTOR, 0x00af9b000000ffff, 8);
        vm_put(vm, GDT + DATA_SELECTOR, 0x00cf93000000ffff, 8);
        vm_put(vm, GDT + TSS_SELECTOR, 0x00008b0000000000 | (uint64_t) TSS << 16 | TSS_LIMIT, 8);
        for (uint64_t vector = 0; vector < IDT_SIZE / 16; vector++) {
                const uint64_t stub = STUBS + STUB_SIZE * vector;
                const uint64_t gate = (uint64_t) 0x8e00 << 32 | CODE_SELECTOR << 16 | (stub & 0xffff);
                vm_put(vm, stub, 0xfeeb00e6 | PORT_EXCEPTION << 8, STUB_SIZE); /* out %al, $port; jmp . */
                vm_put(vm, L1_IDT + 16 * vector, gate, 8);
                vm_put(vm, L2_IDT + 16 * vector, gate, 8);
        }
}

static bool map_memory(Vm *vm, Report *report) {
        struct kvm_userspace_memory_region region = {.memory_size = MEMORY_SIZE};
        void *memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
                return conclude(report, RESULT_BROKEN, "Cannot get memory for a VM: %s", strerror(errno));
        vm->memory = memory;
        /* Small pages that are all there: what the host does with its memory is no exit of the
         * guest's. */
        (void) madvise(memory, MEMORY_SIZE, MADV_NOHUGEPAGE);
        memset(memory, 0, MEMORY_SIZE);
        region.userspace_addr = (uintptr_t) memory;
        if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
                return conclude(report, RESULT_BROKEN, "Cannot give memory to a VM: %s", strerror(errno));
        fill_l1_tables(vm);
        fill_descriptors(vm);
        return true;
}

static bool create(Vm *vm, Report *report) {
        for (int i = 0; i < CREATE_TRIES; i++) {
                vm->fd = ioctl(vm->kvm->fd, KVM_CREATE_VM, 0);
                if (vm->fd >= 0)
                        return true;
                if (errno != EINTR)
                        break;
        }
        if (errno == EBUSY)
                return conclude(report, RESULT_BROKEN,
                                "KVM can't make a VM: another hypervisor, such as VirtualBox or VMware, has the CPU");
        return conclude(report, RESULT_BROKEN, "KVM can't make a VM: %s", strerror(errno));
}

static bool create_vcpu(Vm *vm, Report *report) {
        vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
        if (vm->vcpu < 0)
                return conclude(report, RESULT_BROKEN, "KVM can't make a vCPU: %s", strerror(errno));
        void *run = mmap(NULL, (size_t) vm->kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
        if (run == MAP_FAILED)
                return conclude(report, RESULT_BROKEN, "Cannot map a vCPU: %s", strerror(errno));
        vm->run = run;
        if (ioctl(vm->vcpu, KVM_SET_CPUID2, vm->kvm->cpuid) < 0)
                return conclude(report, RESULT_BROKEN, "KVM refuses the CPU that it offers itself: %s",
                                strerror(errno));
        const int r = stats_open(&vm->stats, vm->vcpu);
        if (r < 0)
                return conclude(report, RESULT_BROKEN, "Cannot read KVM's statistics: %s", strerror(-r));
        return true;
}

bool vm_open(Vm *vm, const Kvm *kvm, Report *report) {
        *vm = (Vm) {.kvm = kvm, .fd = -1, .vcpu = -1, .stats.fd = -1};
        return create(vm, report) && map_memory(vm, report) && create_vcpu(vm, report);
}

void vm_close(Vm *vm) {
        stats_close(&vm->stats);
        if (vm->run)
                (void) munmap(vm->run, (size_t) vm->kvm->run_size);
        if (vm->vcpu >= 0)
                (void) close(vm->vcpu);
        if (vm->fd >= 0)
                (void) close(vm->fd);
        if (vm->memory)
                (void) munmap(vm->memory, MEMORY_SIZE);
        *vm = (Vm) {.fd = -1, .vcpu = -1, .stats.fd = -1};
}

int vm_set_msr(Vm *vm, uint32_t index, uint64_t value) {
        OneMsr msr = {.msrs.nmsrs = 1};

        msr.msrs.entries[0] = (struct kvm_msr_entry) {.index = index, .data = value};
        const int n = ioctl(vm->vcpu, KVM_SET_MSRS, &msr);
        return n == 1 ? 0 : n == 0 ? -EINVAL : -errno;
}

int vm_get_msr(const Vm *vm, uint32_t index, uint64_t *ret) {
        OneMsr msr = {.msrs.nmsrs = 1};

        msr.msrs.entries[0].index = index;
        const int n = ioctl(vm->vcpu, KVM_GET_MSRS, &msr);
        *ret = msr.msrs.entries[0].data;
        return n == 1 ? 0 : n == 0 ? -EINVAL : -errno;
}

int vm_set_mode(Vm *vm, uint64_t cr4, uint64_t efer) {
        const struct kvm_segment code = {.limit = UINT32_MAX,
                                         .selector = CODE_SELECTOR,
                                         .type = 0xb,
                                         .present = 1,
                                         .s = 1,
                                         .l = 1,
                                         .g = 1};
        const struct kvm_segment data = {.limit = UINT32_MAX,
                                         .selector = DATA_SELECTOR,
                                         .type = 3,
                                         .present = 1,
                                         .s = 1,
                                         .db = 1,
                                         .g = 1};
        struct kvm_sregs sregs;

        if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0)
                return -errno;
        sregs.cs = code;
        sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
        sregs.tr = (struct kvm_segment) {
                        .base = TSS, .limit = TSS_LIMIT, .selector = TSS_SELECTOR, .type = 0xb, .present = 1};
        sregs.ldt = (struct kvm_segment) {.unusable = 1};
        sregs.gdt = (struct kvm_dtable) {.base = GDT, .limit = GDT_SIZE - 1};
        sregs.idt = (struct kvm_dtable) {.base = L1_IDT, .limit = IDT_SIZE - 1};
        sregs.cr0 = CR0;
        sregs.cr3 = L1_PML4;
        sregs.cr4 = CR4_PAE | cr4;
        sregs.efer = EFER_LONG_MODE | efer;
        return ioctl(vm->vcpu, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

bool vm_set_registers(Vm *vm, const struct kvm_regs *regs, Report *report) {
        if (ioctl(vm->vcpu, KVM_SET_REGS, regs) < 0)
                return conclude(report, RESULT_BROKEN, "Cannot set a vCPU's registers: %s", strerror(errno));
        return true;
}

bool vm_get_registers(const Vm *vm, struct kvm_regs *ret, Report *report) {
        if (ioctl(vm->vcpu, KVM_GET_REGS, ret) < 0)
                return conclude(report, RESULT_BROKEN, "Cannot read a vCPU's registers: %s", strerror(errno));
        return true;
}

bool vm_is_nested(const Vm *vm) {
        /* More than its head is of no interest, and is not written: E2BIG comes with the size
         * alone. */
        union {
                struct kvm_nested_state state;
                char bytes[sizeof(struct kvm_nested_state) + 0x4000];
        } nested = {.state.size = sizeof nested};

        return ioctl(vm->vcpu, KVM_GET_NESTED_STATE, &nested) == 0 && nested.state.flags & KVM_STATE_NESTED_GUEST_MODE;
}

/* The processor has pushed the error code, if the vector has one, and the address; the handler has
 * run no further than its port. */
bool vm_get_exception(const Vm *vm, VmException *ret, Report *report) {
        const uint32_t with_error = 1U << 8 | 0x1fU << 10 | 1U << 17 | 1U << 21;
        struct kvm_regs regs;
        struct kvm_sregs sregs;

        if (!vm_get_registers(vm, &regs, report))
                return false;
        if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs) < 0)
                return conclude(report, RESULT_BROKEN, "Cannot read a vCPU's registers: %s", strerror(errno));
        *ret = (VmException) {.vector = (unsigned) ((regs.rip - STUBS) / STUB_SIZE), .in_l2 = vm_is_nested(vm)};
        if (regs.rip < STUBS || ret->vector >= IDT_SIZE / 16 || regs.rsp > MEMORY_SIZE - 16)
                return conclude(report, RESULT_BROKEN, "An exception of the guest came from nowhere");
        uint64_t frame = regs.rsp;
        if (with_error >> ret->vector & 1) {
                ret->error = vm_get(vm, frame, 8);
                frame += 8;
        }
        ret->rip = vm_get(vm, frame, 8);
        ret->address = sregs.cr2;
        return true;
}

bool vm_sample(const Vm *vm, StatsSample *ret, Report *report) {
        const int r = stats_read(&vm->stats, ret);

        if (r < 0)
                return conclude(report, RESULT_BROKEN, "Cannot read KVM's statistics: %s", strerror(-r));
        return true;
}
