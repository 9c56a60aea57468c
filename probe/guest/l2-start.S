/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where L2 begins, and what C can't say of it: its handler of page faults. What L2 does is
 * l2.c's. */

#include "layout.h"

        .text
        .globl  l2_start, l2_page_fault

l2_start:
        call    l2_main
1:      jmp     1b

/* The page belongs to L2, which maps it and goes on. Any other fault goes where the unhandled ones
 * go. */
l2_page_fault:
        push    %rax
        push    %rcx
        mov     %cr2, %rax
        and     $~0xfff, %rax
        lea     -WINDOW(%rax), %rcx
        cmp     $(WINDOW_PAGES << 12), %rcx
        jae     2f
        shr     $9, %rcx
        or      $0x63, %rax
        mov     %rax, TABLE(L2_TABLES, 1)(%rcx)
        pop     %rcx
        pop     %rax
        add     $8, %rsp
        iretq
2:      pop     %rcx
        pop     %rax
        jmp     STUBS + 14 * STUB_SIZE

        .section .note.GNU-stack, "", @progbits
