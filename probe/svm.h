/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What L1 and the probe read of a VMCB after an exit: offsets. Numbers only, as the assembler reads
 * it, too. */

#define VMCB_TLB_CONTROL 0x05c
#define VMCB_EXIT_CODE 0x070
#define VMCB_EXIT_INFO_1 0x078
#define VMCB_EXIT_INFO_2 0x080
#define VMCB_EXIT_EVENT 0x088
#define VMCB_EVENT 0x0a8
#define VMCB_RIP 0x578
#define VMCB_RSP 0x5d8
#define VMCB_CR2 0x640

#define VMEXIT_WRITE_CR3 0x013
#define VMEXIT_PAGE_FAULT 0x04e
#define VMEXIT_CPUID 0x072
#define VMEXIT_INVLPG 0x079
#define VMEXIT_VMMCALL 0x081
#define VMEXIT_NESTED_PAGE_FAULT 0x400
