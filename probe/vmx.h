/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The fields of a VMCS that L1 and the probe read after an exit, and exit reasons (Intel's manual,
 * volume 3D, appendices B and C). Numbers only, as the assembler reads it, too. */

#define VMCS_INSTRUCTION_ERROR 0x4400
#define VMCS_EXIT_REASON 0x4402
#define VMCS_EXIT_INTERRUPTION 0x4404
#define VMCS_EXIT_INTERRUPTION_ERROR 0x4406
#define VMCS_EXIT_VECTORING 0x4408
#define VMCS_EXIT_LENGTH 0x440c
#define VMCS_EXIT_QUALIFICATION 0x6400
#define VMCS_GUEST_PHYSICAL 0x2400
#define VMCS_ENTRY_INTERRUPTION 0x4016
#define VMCS_ENTRY_ERROR 0x4018
#define VMCS_GUEST_RSP 0x681c
#define VMCS_GUEST_RIP 0x681e

#define REASON_EXCEPTION 0
#define REASON_CPUID 10
#define REASON_INVLPG 14
#define REASON_VMCALL 18
#define REASON_CR_ACCESS 28
#define REASON_EPT_VIOLATION 48

/* How far L1 came, of proof-vmx.S. */
#define STAGE_VMXON 1
#define STAGE_VMCLEAR 2
#define STAGE_VMPTRLD 3
#define STAGE_VMWRITE 4
#define STAGE_ENTRY 5
