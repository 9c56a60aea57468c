/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What L1 does with L2, twice: l1-svm.c and l1-vmx.c. */

#include <stdint.h>

typedef enum ExitKind {
        EXIT_OTHER,
        EXIT_CALL,
        EXIT_SKIP,
        EXIT_PAGE_FAULT,
        EXIT_LOAD_CR3,
        EXIT_INVALIDATE,
        EXIT_VIOLATION
} ExitKind;

/* Why L2 left. */
typedef struct Exit {
        ExitKind kind;
        uint64_t address; /* of a page fault: virtual; of a violation: guest-physical */
        uint64_t error;   /* of a page fault */
        uint64_t rip;     /* of the next instruction, when this one is to be skipped */
} Exit;

void svm_restart(void);
Exit svm_run(void);
void svm_skip(const Exit *exit);
void svm_inject_page_fault(const Exit *exit);
void svm_flush(void);

void vmx_begin(void);
void vmx_restart(void);
Exit vmx_run(void);
void vmx_skip(const Exit *exit);
void vmx_inject_page_fault(const Exit *exit);
void vmx_flush(void);
