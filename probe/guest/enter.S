/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entering L2 with all of its registers, and leaving it: which instruction that is, and whose
 * registers are whose. Why L2 left is not read here. */

#include "layout.h"

        .text
        .globl  svm_enter, vmx_enter, vmx_exit

        .macro  save_l1
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        .endm

        .macro  load_l1
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        .endm

        .macro  load_l2
        mov     l2_registers + 0x08(%rip), %rbx
        mov     l2_registers + 0x10(%rip), %rcx
        mov     l2_registers + 0x18(%rip), %rdx
        mov     l2_registers + 0x20(%rip), %rsi
        mov     l2_registers + 0x28(%rip), %rdi
        mov     l2_registers + 0x30(%rip), %rbp
        mov     l2_registers + 0x38(%rip), %r8
        mov     l2_registers + 0x40(%rip), %r9
        mov     l2_registers + 0x48(%rip), %r10
        mov     l2_registers + 0x50(%rip), %r11
        mov     l2_registers + 0x58(%rip), %r12
        mov     l2_registers + 0x60(%rip), %r13
        mov     l2_registers + 0x68(%rip), %r14
        mov     l2_registers + 0x70(%rip), %r15
        .endm

        .macro  save_l2
        mov     %rbx, l2_registers + 0x08(%rip)
        mov     %rcx, l2_registers + 0x10(%rip)
        mov     %rdx, l2_registers + 0x18(%rip)
        mov     %rsi, l2_registers + 0x20(%rip)
        mov     %rdi, l2_registers + 0x28(%rip)
        mov     %rbp, l2_registers + 0x30(%rip)
        mov     %r8, l2_registers + 0x38(%rip)
        mov     %r9, l2_registers + 0x40(%rip)
        mov     %r10, l2_registers + 0x48(%rip)
        mov     %r11, l2_registers + 0x50(%rip)
        mov     %r12, l2_registers + 0x58(%rip)
        mov     %r13, l2_registers + 0x60(%rip)
        mov     %r14, l2_registers + 0x68(%rip)
        mov     %r15, l2_registers + 0x70(%rip)
        .endm

/* rax, rsp and rip are switched by VMRUN. */
svm_enter:
        save_l1
        load_l2
        mov     $CONTROL, %eax
        vmrun   %rax
        save_l2
        load_l1
        ret

/* edi: not the first entry. Returns 0 after an exit, and 1 when the entry failed. The stack of an
 * exit is a constant of the VMCS, as to write it each time would be an exit each time. */
vmx_enter:
        save_l1
        mov     %rsp, l1_stack(%rip)
        test    %edi, %edi
        mov     l2_registers(%rip), %rax
        load_l2
        jnz     1f
        vmlaunch
        jmp     2f
1:      vmresume
2:      load_l1
        mov     $1, %eax
        ret
vmx_exit:
        mov     %rax, l2_registers(%rip)
        save_l2
        mov     l1_stack(%rip), %rsp
        load_l1
        xor     %eax, %eax
        ret

        .bss
        .balign 8
        .globl  l2_registers
l2_registers:
        .skip   15 * 8
l1_stack:
        .skip   8

        .section .note.GNU-stack, "", @progbits
