/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L1 on AMD: reads and writes the VMCB, which the probe has prepared. Not every CPU says where the
 * next instruction is, or what INVLPG was for; L2's instructions are known. */

#include "enter.h"
#include "failure.h"
#include "guest.h"
#include "l2.h"
#include "svm.h"
#include "vendor.h"

#define EVENT_PAGE_FAULT (14U | 3U << 8 | 1U << 11 | 1U << 31) /* vector, exception, with an error code, valid */
#define VALID (1U << 31)
#define FLUSH_ALL 1U

static volatile uint64_t *word(uint64_t offset) {
        return (volatile uint64_t *) (CONTROL + offset);
}

static volatile uint8_t *byte(uint64_t offset) {
        return (volatile uint8_t *) (CONTROL + offset);
}

void svm_flush(void) {
        *byte(VMCB_TLB_CONTROL) = FLUSH_ALL;
}

void svm_restart(void) {
        *word(VMCB_RIP) = (uintptr_t) l2_start;
        *word(VMCB_RSP) = L2_STACK;
}

Exit svm_run(void) {
        svm_enter();
        *byte(VMCB_TLB_CONTROL) = 0;
        *word(VMCB_EVENT) = 0;

        const uint64_t rip = *word(VMCB_RIP);
        order->code = *word(VMCB_EXIT_CODE);
        order->info[0] = *word(VMCB_EXIT_INFO_1);
        order->info[1] = *word(VMCB_EXIT_INFO_2);
        if (*word(VMCB_EXIT_EVENT) & VALID)
                fail(FAILURE_EVENT, order->code, order->info[0], order->info[1], *word(VMCB_EXIT_EVENT));
        switch (order->code) {
        case VMEXIT_VMMCALL:
                return (Exit) {.kind = EXIT_CALL};
        case VMEXIT_CPUID:
                return (Exit) {.kind = EXIT_SKIP, .rip = rip + 2};
        case VMEXIT_PAGE_FAULT:
                return (Exit) {.kind = EXIT_PAGE_FAULT, .error = order->info[0], .address = order->info[1]};
        case VMEXIT_WRITE_CR3:
                return (Exit) {.kind = EXIT_LOAD_CR3, .rip = rip + 3};
        case VMEXIT_INVLPG:
                return (Exit) {.kind = EXIT_INVALIDATE, .rip = rip + 3};
        case VMEXIT_NESTED_PAGE_FAULT:
                return (Exit) {.kind = EXIT_VIOLATION, .address = order->info[1]};
        default:
                return (Exit) {.kind = EXIT_OTHER};
        }
}

void svm_skip(const Exit *exit) {
        *word(VMCB_RIP) = exit->rip;
}

void svm_inject_page_fault(const Exit *exit) {
        *word(VMCB_CR2) = exit->address;
        *word(VMCB_EVENT) = EVENT_PAGE_FAULT | exit->error << 32;
}
