/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L1 and L2 of the proof on AMD. Position-independent, copied into the guest's memory. VMRUN and an
 * exit switch only rax, rsp and rip of the general registers: L1 has rax and rsi, L2 has rax to
 * rdx, rdi, r12 and r13. */

#include "layout.h"
#include "svm.h"

        .section .rodata
        .balign 16
        .globl proof_svm, proof_svm_l2, proof_svm_end

/* rsi: the VMCB. It is read once, so that L1's first access to it is none of a round trip's. */
proof_svm:
        mov     (%rsi), %rax
1:      mov     %rsi, %rax
        vmrun   %rax
        cmpl    $VMEXIT_CPUID, VMCB_EXIT_CODE(%rsi)
        jne     2f
        addq    $2, VMCB_RIP(%rsi)
        jmp     1b
2:      out     %al, $PORT_DONE
        jmp     2b

/* r12: round trips of a repeat; r13: repeats. */
proof_svm_l2:
        out     %al, $PORT_L2_BEGIN
        mov     %r12d, %edi
3:      xor     %eax, %eax
        cpuid
        dec     %edi
        jnz     3b
        out     %al, $PORT_L2_END
        dec     %r13d
        jnz     proof_svm_l2
        vmmcall
4:      jmp     4b
proof_svm_end:

        .section .note.GNU-stack, "", @progbits
