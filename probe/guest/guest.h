/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The guest's own: L1 in general, its two vendors, L2. Everything here runs without a libc in the VM that layout.h maps. */

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "order.h"

#define order ((volatile Order *) SHARED)

/* General registers of L2 while L1 runs, as start.S saves them; of an SVM guest rax is in the VMCB. */
typedef struct Registers {
        uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
} Registers;
extern volatile Registers l2_registers;

void l1_main(void);
void l2_main(void);
void l2_operation(void);
void l2_start(void);
void l2_page_fault(void);

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

/* What L1 does with L2, twice. */
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

void svm_enter(void);
int vmx_enter(int again);

static inline void out(const uint8_t port) {
        __asm__ volatile("outb %%al, %0" : : "i"(port) : "memory");
}

static inline volatile uint64_t *entries(uint64_t tables) {
        return (volatile uint64_t *) TABLE(tables, 1);
}
