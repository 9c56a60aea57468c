/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Intel: the fields of a VMCS as a table of pairs, which L1 writes one by one (Intel's manual,
 * volume 3C, chapter 25, and 3D, appendices A and B). What is zero is in the table as well, since
 * the VMCS is new. */

#include <errno.h>
#include <string.h>

#include "backend.h"
#include "layout.h"
#include "vmx.h"

#define MSR_FEATURE_CONTROL 0x3aU
#define FEATURE_CONTROL_VMXON 5U /* locked, VMXON outside of SMX */
#define MSR_VMX_BASIC 0x480U
#define MSR_VMX_PROCBASED_CTLS2 0x48bU
/* The TRUE ones: with the others, exits at loads and stores of CR3 can't be left off. */
#define MSR_VMX_TRUE_PINBASED 0x48dU
#define MSR_VMX_TRUE_PROCBASED 0x48eU
#define MSR_VMX_TRUE_EXIT 0x48fU
#define MSR_VMX_TRUE_ENTRY 0x490U

#define CR0 0x80050033U
#define CR4 0x2020U /* PAE VMXE */

#define PROC_INVLPG (1U << 9)
#define PROC_CR3_LOAD (1U << 15)
#define PROC_SECONDARY (1U << 31)
#define SECONDARY_EPT (1U << 1)
#define EXIT_HOST_64 (1U << 9)
#define ENTRY_GUEST_64 (1U << 9)
#define EPT_WRITE_BACK_4_LEVELS (6U | 3U << 3)

#define ACCESS_CODE 0xa09bU
#define ACCESS_DATA 0xc093U
#define ACCESS_TSS 0x8bU
#define ACCESS_UNUSABLE 0x10000U

typedef struct Field {
        uint32_t field;
        uint64_t value;
} Field;

/* clang-format off */
/* The same in every VMCS of the probe. */
static const Field constant_fields[] = {
        /* L2's segments es cs ss ds fs gs ldtr tr: selectors, bases, limits, access */
        { 0x0800, DATA_SELECTOR }, { 0x0802, CODE_SELECTOR }, { 0x0804, DATA_SELECTOR }, { 0x0806, DATA_SELECTOR },
        { 0x0808, DATA_SELECTOR }, { 0x080a, DATA_SELECTOR }, { 0x080c, 0 }, { 0x080e, TSS_SELECTOR },
        { 0x6806, 0 }, { 0x6808, 0 }, { 0x680a, 0 }, { 0x680c, 0 }, { 0x680e, 0 },
        { 0x6810, 0 }, { 0x6812, 0 }, { 0x6814, TSS },
        { 0x4800, UINT32_MAX }, { 0x4802, UINT32_MAX }, { 0x4804, UINT32_MAX }, { 0x4806, UINT32_MAX },
        { 0x4808, UINT32_MAX }, { 0x480a, UINT32_MAX }, { 0x480c, 0 }, { 0x480e, TSS_LIMIT },
        { 0x4814, ACCESS_DATA }, { 0x4816, ACCESS_CODE }, { 0x4818, ACCESS_DATA }, { 0x481a, ACCESS_DATA },
        { 0x481c, ACCESS_DATA }, { 0x481e, ACCESS_DATA }, { 0x4820, ACCESS_UNUSABLE }, { 0x4822, ACCESS_TSS },
        /* its GDT and IDT */
        { 0x6816, GDT }, { 0x4810, GDT_SIZE - 1 }, { 0x6818, L2_IDT }, { 0x4812, IDT_SIZE - 1 },
        /* its registers: CR0 CR4 DR7 RFLAGS, debug exceptions, SYSENTER, DEBUGCTL;
         * interruptibility, activity */
        { 0x6800, CR0 }, { 0x6804, CR4 }, { 0x681a, 0x400 }, { 0x6820, 2 }, { 0x6822, 0 }, { 0x6824, 0 }, { 0x6826, 0 },
        { 0x482a, 0 }, { 0x2802, 0 }, { 0x4824, 0 }, { 0x4826, 0 },
        /* no shadow VMCS is linked */
        { 0x2800, UINT64_MAX },
        /* L1: selectors es cs ss ds fs gs tr; CR0 CR3 CR4; bases of fs gs tr gdt idt; SYSENTER;
         * RSP */
        { 0x0c00, DATA_SELECTOR }, { 0x0c02, CODE_SELECTOR }, { 0x0c04, DATA_SELECTOR }, { 0x0c06, DATA_SELECTOR },
        { 0x0c08, DATA_SELECTOR }, { 0x0c0a, DATA_SELECTOR }, { 0x0c0c, TSS_SELECTOR },
        { 0x6c00, CR0 }, { 0x6c02, L1_PML4 }, { 0x6c04, CR4 },
        { 0x6c06, 0 }, { 0x6c08, 0 }, { 0x6c0a, TSS }, { 0x6c0c, GDT }, { 0x6c0e, L1_IDT },
        { 0x4c00, 0 }, { 0x6c10, 0 }, { 0x6c12, 0 }, { 0x6c14, HOST_STACK },
        /* controls: any page fault counts, no CR3 targets, no lists of MSRs, nothing injected, CR0
         * and CR4 are L2's own */
        { 0x4006, 0 }, { 0x4008, 0 }, { 0x400a, 0 }, { 0x400e, 0 }, { 0x4010, 0 }, { 0x4014, 0 }, { 0x4016, 0 },
        { 0x4018, 0 }, { 0x401a, 0 }, { 0x6000, 0 }, { 0x6002, 0 }, { 0x6004, 0 }, { 0x6006, 0 },
};
/* clang-format on */

typedef struct Controls {
        uint64_t pin, processor, secondary, exit, entry;
} Controls;

static int enable(Vm *vm) {
        return vm_set_msr(vm, MSR_FEATURE_CONTROL, FEATURE_CONTROL_VMXON);
}

/* What must be on, and what is wanted. */
static bool choose(const Vm *vm, uint32_t msr, uint32_t wanted, uint64_t *ret, Report *report) {
        uint64_t value = 0;
        const int r = vm_get_msr(vm, msr, &value);

        *ret = (uint32_t) value | wanted;
        if (vm->kvm->forced)
                return true;
        if (r < 0)
                return conclude(report, RESULT_BROKEN, "KVM offers VMX, but not its MSR %#x: %s", msr, strerror(-r));
        if (*ret & ~(value >> 32))
                return conclude(report, RESULT_BROKEN, "KVM offers VMX without %#llx in the MSR %#x",
                                (unsigned long long) (*ret & ~(value >> 32)), msr);
        return true;
}

static bool choose_controls(const Vm *vm, const Guest *guest, Controls *ret, Report *report) {
        const uint32_t processor =
                        (guest->shadow ? PROC_INVLPG | PROC_CR3_LOAD : 0) | (guest->nested ? PROC_SECONDARY : 0);

        *ret = (Controls) {};
        return choose(vm, MSR_VMX_TRUE_PINBASED, 0, &ret->pin, report) &&
               choose(vm, MSR_VMX_TRUE_PROCBASED, processor, &ret->processor, report) &&
               choose(vm, MSR_VMX_TRUE_EXIT, EXIT_HOST_64, &ret->exit, report) &&
               choose(vm, MSR_VMX_TRUE_ENTRY, ENTRY_GUEST_64, &ret->entry, report) &&
               (!guest->nested || choose(vm, MSR_VMX_PROCBASED_CTLS2, SECONDARY_EPT, &ret->secondary, report));
}

static uint64_t put_fields(Vm *vm, uint64_t address, const Field *fields, size_t n) {
        for (size_t i = 0; i < n; i++, address += 16) {
                vm_put(vm, address, fields[i].field, 8);
                vm_put(vm, address + 8, fields[i].value, 8);
        }
        return address;
}

static bool prepare(Vm *vm, const Guest *guest, Report *report) {
        uint64_t revision = 0;
        Controls controls;

        if (!choose_controls(vm, guest, &controls, report))
                return false;
        const Field paging[] = {{0x401e, controls.secondary}, {0x201a, guest->nested | EPT_WRITE_BACK_4_LEVELS}};
        const Field fields[] = {
                        {0x4000, controls.pin},       {0x4002, controls.processor}, {0x4004, guest->exceptions},
                        {0x400c, controls.exit},      {0x4012, controls.entry},     {0x6802, guest->cr3},
                        {VMCS_GUEST_RSP, guest->rsp}, {VMCS_GUEST_RIP, guest->rip}, {0x6c16, guest->exit},
        };

        (void) vm_get_msr(vm, MSR_VMX_BASIC, &revision);
        vm_put(vm, HOST_AREA, revision & INT32_MAX, 4);
        vm_put(vm, CONTROL, revision & INT32_MAX, 4);
        vm_put(vm, FIELDS, HOST_AREA, 8);
        vm_put(vm, FIELDS + 8, CONTROL, 8);
        uint64_t end = put_fields(vm, FIELDS + 16, constant_fields, sizeof constant_fields / sizeof constant_fields[0]);
        end = put_fields(vm, end, fields, sizeof fields / sizeof fields[0]);
        if (guest->nested)
                end = put_fields(vm, end, paging, sizeof paging / sizeof paging[0]);
        vm_put(vm, end, 0, 8);
        return true;
}

const Backend vmx_backend = {
                .vendor = "VMX",
                .paging = "ept",
                .instruction = "VMXON",
                .cr4 = 0x2000,
                .bits = {.table = 7, .small = 0x37, .large = 0xb7}, /* read, write, execute; write-back memory */
                .enable = enable,
                .prepare = prepare,
};
