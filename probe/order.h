/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the probe and the guest of the table tell each other through the page SHARED, and how the
 * guest's image begins. Plain C, for both. */

#include <stdint.h>

/* What runs L2's code. */
typedef enum Way {
        WAY_ALONE,  /* L1 itself, so that there is one level only */
        WAY_SHADOW, /* L2, whose page tables L1 shadows */
        WAY_NESTED, /* L2, with EPT or NPT of L1 */
        WAY_MAX
} Way;

typedef enum Operation {
        OPERATION_EMPTY,
        OPERATION_LOOP,     /* nothing, @count times */
        OPERATION_CPUID,    /* an exit to L1 and back */
        OPERATION_PORT,     /* an exit to the probe and back, of which L1 does not hear */
        OPERATION_TOUCH,    /* the first access to each of @count pages, at most WINDOW_PAGES, that L2 has mapped */
        OPERATION_CR3,      /* read and written */
        OPERATION_FAULT,    /* an access to a page that L2 has not mapped, L2's handler, and the page unmapped again */
        OPERATION_WORKLOAD, /* @count processes: CR3; WINDOW_PAGES faults; all of them unmapped */
        OPERATION_MAX
} Operation;

typedef enum Failure {
        FAILURE_EXIT = 1, /* L2 left in a way that L1 did not expect: @code and @info of the exit */
        FAILURE_EVENT,    /* an exit in the middle of an event: likewise */
        /* An instruction of VMX failed: @code is the error, @info[0] is 1 if it is valid, @info[1]
         * the field. */
        FAILURE_VMXON,
        FAILURE_VMCLEAR,
        FAILURE_VMPTRLD,
        FAILURE_VMWRITE,
        FAILURE_ENTRY,
        FAILURE_INVEPT,
} Failure;

typedef struct Order {
        /* the probe's */
        uint32_t vmx; /* 1, or 0 for SVM */
        uint32_t way;
        uint32_t operation;
        uint32_t count;
        /* the guest's, at PORT_FAIL */
        uint64_t failure;
        uint64_t code;
        uint64_t info[3];
} Order;

/* The first words of the image: addresses. */
typedef struct ImageHead {
        uint64_t l1, l2, l2_page_fault, vmx_exit;
} ImageHead;
