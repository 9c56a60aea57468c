/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The probe with something in its guest broken on purpose, just before it runs: what it then says
 * is what is tested.
 *
 *     probe-broken WHAT */

#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "layout.h"
#include "print.h"
#include "proof.h"
#include "svm.h"
#include "table.h"
#include "vmx.h"

/* A page of zeros: tables that map nothing. */
#define NO_TABLES 0x20000

#define SPIN 0xfeeb /* jmp . */
#define UD2 0x0b0f

/* Offsets in the VMCB and fields of the VMCS that only are broken here. */
#define VMCB_EXCEPTIONS 0x008
#define VMCB_INTERCEPT_2 0x010
#define VMCB_IDT 0x480
#define VMCB_EFER 0x4d0
#define VMCB_CR3 0x550
#define VMCB_CR0 0x558
#define VMCS_PROCESSOR_CONTROLS 0x4002
#define VMCS_EXCEPTIONS 0x4004
#define VMCS_GUEST_IDT_LIMIT 0x4812
#define VMCS_GUEST_CR0 0x6800
#define VMCS_GUEST_CR3 0x6802
#define VMCS_HOST_CR0 0x6c00
#define VMCS_NO_FIELD 0x6ffe

static bool is_vmx(const Vm *vm) {
        return vm->kvm->vendor == VENDOR_VMX;
}

/* The place of a field in the table that L1 writes. */
static uint64_t find_field(const Vm *vm, uint64_t field) {
        uint64_t address = FIELDS + 16;

        while (vm_get(vm, address, 8) != field)
                address += 16;
        return address;
}

static void set(Vm *vm, uint64_t vmcb_offset, size_t size, uint64_t field, uint64_t value) {
        if (is_vmx(vm))
                vm_put(vm, find_field(vm, field) + 8, value, 8);
        else
                vm_put(vm, CONTROL + vmcb_offset, value, size);
}

static void break_control(Vm *vm) {
        set(vm, VMCB_INTERCEPT_2, 4, VMCS_PROCESSOR_CONTROLS, 0);
}

static void break_host(Vm *vm) {
        set(vm, VMCB_EFER, 8, VMCS_HOST_CR0, 0);
}

static void break_guest(Vm *vm) {
        if (is_vmx(vm))
                vm_put(vm, find_field(vm, VMCS_GUEST_CR0) + 8, 0, 8);
        else
                vm_put(vm, CONTROL + VMCB_CR0, 0xa0050033, 8); /* not write-through, but not cache-disable */
}

static void break_field(Vm *vm) {
        if (is_vmx(vm))
                vm_put(vm, FIELDS + 16, VMCS_NO_FIELD, 8);
}

static void break_tables(Vm *vm) {
        set(vm, VMCB_CR3, 8, VMCS_GUEST_CR3, NO_TABLES);
}

static void break_all_exceptions(Vm *vm) {
        break_tables(vm);
        set(vm, VMCB_EXCEPTIONS, 4, VMCS_EXCEPTIONS, 0);
        set(vm, VMCB_IDT, 8, VMCS_GUEST_IDT_LIMIT, 0);
}

/* In the table, with L1's nested paging. */
static void break_nested_tables(Vm *vm) {
        vm_put(vm, TABLE(NESTED_TABLES, 2), 0, 8);
}

static void l1_spins(Vm *vm) {
        vm_put(vm, CODE, SPIN, 2);
}

static void l2_spins(Vm *vm) {
        const uint64_t rip = is_vmx(vm) ? vm_get(vm, find_field(vm, VMCS_GUEST_RIP) + 8, 8)
                                        : vm_get(vm, CONTROL + VMCB_RIP, 8);

        vm_put(vm, rip, SPIN, 2);
}

static void l1_is_undefined(Vm *vm) {
        vm_put(vm, CODE, UD2, 2);
}

static void l1_shuts_down(Vm *vm) {
        l1_is_undefined(vm);
        memset(vm_at(vm, L1_IDT, IDT_SIZE), 0, IDT_SIZE);
}

typedef struct Breakage {
        const char *name;
        Tamper tamper;
        bool table;
} Breakage;

static const Breakage breakages[] = {
                {"nothing", NULL, false},
                {"control", break_control, false},
                {"host-state", break_host, false},
                {"guest-state", break_guest, false},
                {"field", break_field, false},
                {"tables", break_tables, false},
                {"nested-tables", break_nested_tables, true},
                {"triple-fault", break_all_exceptions, false},
                {"l1-spins", l1_spins, false},
                {"l2-spins", l2_spins, false},
                {"l1-undefined", l1_is_undefined, false},
                {"l1-shutdown", l1_shuts_down, false},
};

static const Breakage *find(const char *name) {
        for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++)
                if (strcmp(name, breakages[i].name) == 0)
                        return &breakages[i];
        return NULL;
}

int main(int argc, char **argv) {
        const Breakage *breakage = argc == 2 ? find(argv[1]) : NULL;
        static Report report;
        Kvm kvm;

        if (!breakage) {
                (void) fprintf(stderr, "Usage: probe-broken WHAT\n");
                return 2;
        }
        if (kvm_open(&kvm, "/dev/kvm", &report))
                (void) (breakage->table ? table_run(&kvm, false, breakage->tamper, &report)
                                        : proof_run(&kvm, breakage->tamper, &report));
        kvm_close(&kvm);
        return print_report(PRINT_JSON, &report) < 0 ? 1 : report_exit_status(&report);
}
