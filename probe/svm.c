/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* AMD: a VMCB that is right (AMD's manual, volume 2, appendix B). What is not written here is zero:
 * no bitmaps, no offsets, no interrupts. */

#include "backend.h"
#include "layout.h"
#include "svm.h"

#define MSR_VM_HSAVE_PA 0xc0010117U
#define EFER_SVME 0x1000U
#define EFER_LONG_MODE 0x500U

/* Offsets in the VMCB. */
#define INTERCEPT_CR 0x000
#define INTERCEPT_EXCEPTIONS 0x008
#define INTERCEPT_1 0x00c
#define INTERCEPT_2 0x010
#define ASID 0x058
#define NESTED_ENABLE 0x090
#define NESTED_CR3 0x0b0
#define SEGMENT_ES 0x400
#define SEGMENT_CS 0x410
#define SEGMENT_SS 0x420
#define SEGMENT_DS 0x430
#define SEGMENT_FS 0x440
#define SEGMENT_GS 0x450
#define SEGMENT_GDT 0x460
#define SEGMENT_IDT 0x480
#define SEGMENT_TR 0x490
#define EFER 0x4d0
#define CR4 0x548
#define CR3 0x550
#define CR0 0x558
#define DR7 0x560
#define DR6 0x568
#define RFLAGS 0x570
#define PAT 0x668

/* Bits of the intercepts. */
#define WRITE_CR3 (1U << (16 + 3))
#define IN_1_CPUID (1U << 18)
#define IN_1_INVLPG (1U << 25)
#define IN_1_SHUTDOWN (1U << 31)
#define IN_2_VMRUN (1U << 0)
#define IN_2_VMMCALL (1U << 1)

#define FLUSH_ALL 1U

static int enable(Vm *vm) {
        return vm_set_msr(vm, MSR_VM_HSAVE_PA, HOST_AREA);
}

static void put_segment(Vm *vm, uint64_t offset, uint64_t selector, uint64_t attributes, uint64_t limit,
                        uint64_t base) {
        vm_put(vm, CONTROL + offset, selector | attributes << 16 | limit << 32, 8);
        vm_put(vm, CONTROL + offset + 8, base, 8);
}

static void put_state(Vm *vm, const Guest *guest) {
        static const uint64_t data[] = {SEGMENT_ES, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS, SEGMENT_GS};

        put_segment(vm, SEGMENT_CS, CODE_SELECTOR, 0xa9b, UINT32_MAX, 0);
        for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
                put_segment(vm, data[i], DATA_SELECTOR, 0xc93, UINT32_MAX, 0);
        put_segment(vm, SEGMENT_TR, TSS_SELECTOR, 0x8b, TSS_LIMIT, TSS);
        put_segment(vm, SEGMENT_GDT, 0, 0, GDT_SIZE - 1, GDT);
        put_segment(vm, SEGMENT_IDT, 0, 0, IDT_SIZE - 1, L2_IDT);
        vm_put(vm, CONTROL + EFER, EFER_LONG_MODE | EFER_SVME, 8);
        vm_put(vm, CONTROL + CR0, 0x80050033, 8);
        vm_put(vm, CONTROL + CR3, guest->cr3, 8);
        vm_put(vm, CONTROL + CR4, 0x20, 8);
        vm_put(vm, CONTROL + DR6, 0xffff0ff0, 8);
        vm_put(vm, CONTROL + DR7, 0x400, 8);
        vm_put(vm, CONTROL + RFLAGS, 2, 8);
        vm_put(vm, CONTROL + VMCB_RIP, guest->rip, 8);
        vm_put(vm, CONTROL + VMCB_RSP, guest->rsp, 8);
        vm_put(vm, CONTROL + PAT, 0x0007040600070406, 8);
}

static bool prepare(Vm *vm, const Guest *guest, Report *report) {
        /* A shutdown of L2 that L1 does not intercept would be one of the whole VM. */
        vm_put(vm, CONTROL + INTERCEPT_CR, guest->shadow ? WRITE_CR3 : 0, 4);
        vm_put(vm, CONTROL + INTERCEPT_EXCEPTIONS, guest->exceptions, 4);
        vm_put(vm, CONTROL + INTERCEPT_1, IN_1_CPUID | IN_1_SHUTDOWN | (guest->shadow ? IN_1_INVLPG : 0), 4);
        vm_put(vm, CONTROL + INTERCEPT_2, IN_2_VMRUN | IN_2_VMMCALL, 4);
        vm_put(vm, CONTROL + ASID, 1, 4);
        vm_put(vm, CONTROL + VMCB_TLB_CONTROL, FLUSH_ALL, 1);
        vm_put(vm, CONTROL + NESTED_ENABLE, guest->nested ? 1 : 0, 8);
        vm_put(vm, CONTROL + NESTED_CR3, guest->nested, 8);
        put_state(vm, guest);
        return true;
}

const Backend svm_backend = {
                .vendor = "SVM",
                .paging = "npt",
                .instruction = "VMRUN",
                .efer = EFER_SVME,
                .bits = {.table = 0x27, .small = 0x67, .large = 0xe7}, /* user, too, as all accesses of L2 are */
                .enable = enable,
                .prepare = prepare,
};
