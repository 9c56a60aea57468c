/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which bit of which leaf or register stands for which flag of /proc/cpuinfo, and what KVM wants
 * besides the flags. From Intel's manual as arch/x86/include/asm/{vmx,msr-index}.h have it,
 * arch/x86/kernel/cpu/feat_ctl.c (init_vmx_capabilities), cpufeatures.h, and the hardware_setup()
 * of vmx.c, 5.10 to 7.3. Pure. */

#include <glib.h>
#include <stdbool.h>

#include "cpu.h"

typedef enum Answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES } Answer;

typedef struct CpuBit {
        const char *flag; /* as /proc/cpuinfo spells it */
        guint32 where;    /* a leaf, or the address of a register */
        CpuRegister reg;  /* of the leaf */
        unsigned bit;     /* of the register */
        unsigned gate;    /* the bit of 0x482 without which the register does not count; 0: none */
        bool may_lack;    /* the kernel may not print it though the CPU has it: it is too old, or knows an erratum */
} CpuBit;

extern const CpuBit cpuid_bits[]; /* of leaves; ended by a NULL flag */
extern const CpuBit vmx_bits[];   /* of the VMX capability registers; ended by a NULL flag */

const CpuBit *cpu_bit_find(const CpuBit *bits, const char *flag); /* or NULL */
Answer cpuid_ask(const GArray *leaves, const CpuBit *bit);
Answer vmx_ask(const GArray *msrs, const CpuBit *bit);

/* Whether the CPU has it: by what the kernel prints, and where the kernel is too old for a "vmx
 * flags" line by the registers. */
Answer cpu_can(const Cpu *cpu, const char *flag);
/* What the registers say that the CPU lacks for a parameter of kvm_intel though it has the flags
 * for it, as words for people, or NULL: nothing, or unknown. */
const char *cpu_lacks(const Cpu *cpu, const char *parameter);
