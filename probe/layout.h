/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The map of the guest's memory and the ports by which the guest speaks to the probe: what the
 * probe, the assembler and the guest's C agree on. Numbers only, as the assembler reads it, too.
 * Addresses are guest-physical, and L1's virtual ones. */

/* Two pieces of 2 MiB: the first holds all that is below, the second is the window, whose pages
 * come and go. */
#define MEMORY_SIZE 0x400000
#define MEMORY_PIECE 0x200000

/* L1: its own page tables and descriptors, made by the probe. */
#define L1_PML4 0x1000
#define L1_PDPT 0x2000
#define L1_PD 0x3000
#define GDT 0x4000
#define GDT_SIZE 0x28
#define L1_IDT 0x5000
#define L2_IDT 0x6000
#define IDT_SIZE 0x200
#define STUBS 0x7000 /* what the gates lead to: 32 times "out PORT_EXCEPTION; jmp ." */
#define STUB_SIZE 4
#define TSS 0x8000
#define TSS_LIMIT 0x67

/* The hardware's: the VMCB or the VMCS; the host save area or the VMXON region; fields and values
 * for VMWRITE. */
#define CONTROL 0x9000
#define HOST_AREA 0xa000
#define FIELDS 0xb000
#define FIELDS_MAX 128

#define SHARED 0xc000

/* L2's own page tables; those that L1 makes for it: shadows, or nested paging. Four levels, one
 * page each. */
#define L2_TABLES 0x10000
#define SHADOW_TABLES 0x14000
#define NESTED_TABLES 0x18000
#define TABLE(tables, level) ((tables) + 0x1000 * (4 - (level)))

#define L1_STACK 0x28000 /* grows downwards */
#define L2_STACK 0x2c000
#define HOST_STACK 0x2e000 /* VMX loads it at an exit; nothing is on it */
#define CODE 0x30000
#define CODE_MAX 0x10000

#define WINDOW MEMORY_PIECE
#define WINDOW_PAGES 64

/* Selectors. */
#define CODE_SELECTOR 0x08
#define DATA_SELECTOR 0x10
#define TSS_SELECTOR 0x18

/* Ports. L2's are not intercepted by L1, so that they come from L2 straight to the probe. */
#define PORT_EXCEPTION 0x10 /* L1 or L2 took an exception that nobody handles */
#define PORT_READY 0x11     /* L1 wants the next order */
#define PORT_BEGIN 0x12     /* what is measured begins */
#define PORT_DONE 0x13      /* what is measured has ended; of the proof: L1 is at its end */
#define PORT_FAIL 0x14      /* L1 gives up */
#define PORT_L2_BEGIN 0x15
#define PORT_L2_END 0x16
#define PORT_L2 0x17
