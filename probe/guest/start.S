/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where the image begins: the addresses that the probe wants to know, and L1's first
 * instruction. */

        .section .head, "ax"
        .quad   l1_start, l2_start, l2_page_fault, vmx_exit

        .text
        .globl  l1_start

l1_start:
        call    l1_main
1:      jmp     1b

        .section .note.GNU-stack, "", @progbits
