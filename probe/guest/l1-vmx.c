/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L1 on Intel. How often it asks its VMCS is part of what is measured: six reads at each exit, as a
 * hypervisor would, one more for a page fault or a violation, one write to skip an instruction, two
 * to inject a page fault. */

#include <stdbool.h>

#include "enter.h"
#include "failure.h"
#include "guest.h"
#include "l2.h"
#include "vendor.h"
#include "vmx.h"

#define INTERRUPTION_PAGE_FAULT (14U | 3U << 8 | 1U << 11 | 1U << 31) /* vector, exception, with an error code, valid */
#define INTERRUPTION_VECTOR 0xffU
#define VECTOR_PAGE_FAULT 14U
#define VALID (1U << 31)

#define INVEPT_ALL 2U

/* What the flags say after an instruction of VMX: CF, there is no current VMCS; ZF, its error field
 * says why. */
#define FAILED(instruction, ...)                                                                           \
        ({                                                                                                 \
                bool no_vmcs, error;                                                                       \
                __asm__ volatile(instruction : "=@ccc"(no_vmcs), "=@ccz"(error) : __VA_ARGS__ : "memory"); \
                no_vmcs ? 2 : error ? 1 : 0;                                                               \
        })

static int again;

static uint64_t read(uint64_t field) {
        uint64_t value;

        __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
        return value;
}

static void check(int failed, Failure failure, uint64_t field) {
        if (failed)
                fail(failure, read(VMCS_INSTRUCTION_ERROR), failed == 1, field, 0);
}

static void write(uint64_t field, uint64_t value) {
        check(FAILED("vmwrite %2, %3", "r"(value), "r"(field)), FAILURE_VMWRITE, field);
}

/* The probe's table: two addresses, then fields and their values. */
void vmx_begin(void) {
        const volatile uint64_t *word = (const volatile uint64_t *) FIELDS;
        const uint64_t region = word[0], vmcs = word[1];

        check(FAILED("vmxon %2", "m"(region)), FAILURE_VMXON, 0);
        check(FAILED("vmclear %2", "m"(vmcs)), FAILURE_VMCLEAR, 0);
        check(FAILED("vmptrld %2", "m"(vmcs)), FAILURE_VMPTRLD, 0);
        for (word += 2; word[0] != 0; word += 2)
                write(word[0], word[1]);
}

void vmx_flush(void) {
        const uint64_t descriptor[2] = {0, 0};

        check(FAILED("invept %2, %3", "m"(descriptor), "r"((uint64_t) INVEPT_ALL)), FAILURE_INVEPT, 0);
}

void vmx_restart(void) {
        write(VMCS_GUEST_RIP, (uintptr_t) l2_start);
        write(VMCS_GUEST_RSP, L2_STACK);
}

static Exit decode_exception(uint64_t interruption) {
        if ((interruption & INTERRUPTION_VECTOR) != VECTOR_PAGE_FAULT)
                return (Exit) {.kind = EXIT_OTHER};
        return (Exit) {.kind = EXIT_PAGE_FAULT, .address = order->info[0], .error = read(VMCS_EXIT_INTERRUPTION_ERROR)};
}

static Exit decode_violation(void) {
        order->info[2] = read(VMCS_GUEST_PHYSICAL);
        return (Exit) {.kind = EXIT_VIOLATION, .address = order->info[2]};
}

Exit vmx_run(void) {
        if (vmx_enter(again))
                fail(FAILURE_ENTRY, read(VMCS_INSTRUCTION_ERROR), 1, 0, 0);
        again = 1;

        order->code = read(VMCS_EXIT_REASON);
        order->info[0] = read(VMCS_EXIT_QUALIFICATION);
        order->info[1] = read(VMCS_EXIT_INTERRUPTION);
        const uint64_t vectoring = read(VMCS_EXIT_VECTORING);
        const uint64_t length = read(VMCS_EXIT_LENGTH);
        const uint64_t next = read(VMCS_GUEST_RIP) + length;
        if (vectoring & VALID)
                fail(FAILURE_EVENT, order->code, order->info[0], order->info[1], vectoring);
        switch (order->code) {
        case REASON_VMCALL:
                return (Exit) {.kind = EXIT_CALL};
        case REASON_CPUID:
                return (Exit) {.kind = EXIT_SKIP, .rip = next};
        case REASON_EXCEPTION:
                return decode_exception(order->info[1]);
        case REASON_CR_ACCESS:
                return (Exit) {.kind = EXIT_LOAD_CR3, .rip = next};
        case REASON_INVLPG:
                return (Exit) {.kind = EXIT_INVALIDATE, .rip = next};
        case REASON_EPT_VIOLATION:
                return decode_violation();
        default:
                return (Exit) {.kind = EXIT_OTHER};
        }
}

void vmx_skip(const Exit *exit) {
        write(VMCS_GUEST_RIP, exit->rip);
}

void vmx_inject_page_fault(const Exit *exit) {
        __asm__ volatile("mov %0, %%cr2" : : "r"(exit->address));
        write(VMCS_ENTRY_INTERRUPTION, INTERRUPTION_PAGE_FAULT);
        write(VMCS_ENTRY_ERROR, exit->error);
}
