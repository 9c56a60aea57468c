/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guest of the table as it lies in the guest's memory. IMAGE is its file. */

        .section .rodata
        .balign 16
        .globl  image, image_end
image:
        .incbin IMAGE
image_end:

        .section .note.GNU-stack, "", @progbits
