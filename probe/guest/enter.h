/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* L2 as L1 enters it. */

#include <stdint.h>

/* General registers of L2 while L1 runs; of an SVM guest rax is in the VMCB. enter.S knows the
 * offsets. */
typedef struct Registers {
        uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
} Registers;
extern volatile Registers l2_registers;

/* Both return when L2 has left. */
void svm_enter(void);
/* @again: not the first entry. Returns 0 after an exit, and 1 when the entry failed. */
int vmx_enter(int again);
