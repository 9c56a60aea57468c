/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* L1 and L2 of the proof on Intel. Position-independent, copied into the guest's memory. An entry
 * and an exit switch only rsp and rip of the general registers: L1 has rsi, r8 to r11, r14 and r15,
 * L2 has rax to rdx, rdi, r12 and r13. */

#include "layout.h"
#include "vmx.h"

        .section .rodata
        .balign 16
        .globl proof_vmx, proof_vmx_exit, proof_vmx_l2, proof_vmx_end

/* rsi: the addresses of the VMXON region and of the VMCS, then pairs of field and value up to a
 * field 0. */
proof_vmx:
        mov     $STAGE_VMXON, %r11d
        vmxon   (%rsi)
        jbe     9f
        mov     $STAGE_VMCLEAR, %r11d
        vmclear 8(%rsi)
        jbe     9f
        mov     $STAGE_VMPTRLD, %r11d
        vmptrld 8(%rsi)
        jbe     9f
        mov     $STAGE_VMWRITE, %r11d
        lea     16(%rsi), %r8
1:      mov     (%r8), %r9
        test    %r9, %r9
        jz      2f
        mov     8(%r8), %r10
        vmwrite %r10, %r9
        jbe     9f
        add     $16, %r8
        jmp     1b
2:      mov     $STAGE_ENTRY, %r11d
        vmlaunch
        jmp     9f

/* Two reads and one write for each cpuid of L2: what they cost tells whether the VMCS is
 * shadowed. */
proof_vmx_exit:
        mov     $VMCS_EXIT_REASON, %r9d
        vmread  %r9, %r8
        cmp     $REASON_CPUID, %r8d
        jne     3f
        mov     $VMCS_GUEST_RIP, %r9d
        vmread  %r9, %r10
        add     $2, %r10
        vmwrite %r10, %r9
        vmresume
        jmp     9f

3:      mov     $VMCS_EXIT_QUALIFICATION, %r9d
        vmread  %r9, %r10
        mov     $VMCS_EXIT_INTERRUPTION, %r9d
        vmread  %r9, %r14
        mov     $VMCS_GUEST_PHYSICAL, %r9d
        vmread  %r9, %r15
        out     %al, $PORT_DONE
        jmp     3b

/* r8: the pair, r9: the error, r10: flags of the failure, r11: the stage. */
9:      pushfq
        pop     %r10
        mov     $VMCS_INSTRUCTION_ERROR, %r9d
        vmread  %r9, %r9
        out     %al, $PORT_FAIL
        jmp     9b

/* r12: round trips of a repeat; r13: repeats. */
proof_vmx_l2:
        out     %al, $PORT_L2_BEGIN
        mov     %r12d, %edi
4:      xor     %eax, %eax
        cpuid
        dec     %edi
        jnz     4b
        out     %al, $PORT_L2_END
        dec     %r13d
        jnz     proof_vmx_l2
        vmcall
5:      jmp     5b
proof_vmx_end:

        .section .note.GNU-stack, "", @progbits
