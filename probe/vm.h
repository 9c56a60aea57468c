/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One VM with one vCPU, in 64-bit mode, without interrupts and devices: its memory as layout.h maps
 * it, and its registers. */

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm.h"
#include "report.h"
#include "stats.h"

typedef struct Vm {
        const Kvm *kvm;
        int fd;
        int vcpu;
        unsigned char *memory; /* MEMORY_SIZE */
        struct kvm_run *run;
        Stats stats;
        uint64_t elapsed; /* nanoseconds of the last run; run.c writes it */
} Vm;

/* The bits of an entry for a table, a small page, a large page, besides the address. */
typedef struct PageBits {
        uint64_t table, small, large;
} PageBits;

/* Of ordinary page tables. Accessed and dirty are set from the start, so that no entry is ever
 * changed by the hardware. */
extern const PageBits page_bits;

/* An exception that neither L1 nor L2 handles. */
typedef struct VmException {
        unsigned vector;
        uint64_t error, rip, address; /* @address is that of a page fault */
        bool in_l2;
} VmException;

/* A VM that is not open yet may be closed. */
bool vm_open(Vm *vm, const Kvm *kvm, Report *report);
void vm_close(Vm *vm);

/* Guest-physical addresses; what does not fit into the memory is a defect of ours and ends the
 * process. */
void *vm_at(const Vm *vm, uint64_t address, size_t size);
void vm_put(Vm *vm, uint64_t address, uint64_t value, size_t size);
uint64_t vm_get(const Vm *vm, uint64_t address, size_t size);

/* Page tables of four levels at @tables: the first piece as one large page, and the window by a
 * table of small ones, whose pages are there when @mapped. */
void vm_map(Vm *vm, uint64_t tables, const PageBits *bits, bool mapped);

/* Both return 0 or -errno; -EINVAL: KVM does not know the MSR, or refuses the value. */
int vm_set_msr(Vm *vm, uint32_t index, uint64_t value);
int vm_get_msr(const Vm *vm, uint32_t index, uint64_t *ret);

/* The vCPU as L1 begins, with @cr4 and @efer besides what 64-bit mode needs. Returns 0 or
 * -errno. */
int vm_set_mode(Vm *vm, uint64_t cr4, uint64_t efer);
bool vm_set_registers(Vm *vm, const struct kvm_regs *regs, Report *report);
bool vm_get_registers(const Vm *vm, struct kvm_regs *ret, Report *report);

/* Is the vCPU in L2 now, as KVM says? */
bool vm_is_nested(const Vm *vm);

/* After a stop at PORT_EXCEPTION. */
bool vm_get_exception(const Vm *vm, VmException *ret, Report *report);

bool vm_sample(const Vm *vm, StatsSample *ret, Report *report);
