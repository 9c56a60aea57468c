/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the CPU says of itself, apart from what the kernel prints: the CPUID instruction, the model
 * specific registers, and what KVM would give to a guest of both. Each may be unknown.
 *
 * On the machine itself CPUID is asked here; the registers are what a child has read
 * (nestvirt-device facts) and left in CPU_FACTS_PATH, at the last check. Beneath another root they
 * are the files facts/cpuid, facts/msr, facts/kvm-msr, facts/kvm-cap and facts/kvm-cpuid
 * (tests/fixtures/README.md), and nothing of this machine is asked. What the bits mean is
 * cpu-bits.h's. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

#define CPU_FACTS_PATH "run/nestvirt/facts"

#define MSR_FEAT_CTL 0x3aU /* bit 0: locked, bit 2: VMX outside of SMX */
#define MSR_VMX_BASIC 0x480U
#define MSR_VM_CR 0xc0010114U /* bit 3: locked, bit 4: SVM disabled */

typedef enum CpuRegister { CPU_EAX, CPU_EBX, CPU_ECX, CPU_EDX } CpuRegister;

typedef struct CpuidLeaf {
        guint32 leaf, subleaf, registers[4]; /* by CpuRegister */
} CpuidLeaf;

typedef struct CpuMsr {
        guint32 address;
        guint64 value;
} CpuMsr;

typedef struct CpuFacts {
        /* Of the first processor. NULL: unknown. An entry that is missing is unknown as well, but
         * for KVM's: those are all. */
        GArray *cpuid;     /* CpuidLeaf */
        GArray *msr;       /* CpuMsr */
        GArray *kvm_cpuid; /* CpuidLeaf: KVM_GET_SUPPORTED_CPUID */
        GArray *kvm_msr;   /* CpuMsr: KVM_GET_MSR_FEATURE_INDEX_LIST and KVM_GET_MSRS on /dev/kvm itself */
        GArray *kvm_cap;   /* CpuMsr: what KVM_CHECK_EXTENSION says there, by the number of the extension */
        GPtrArray *spread; /* CpuOdd*: registers of virtualization that other processors have otherwise */
} CpuFacts;

/* Never fails: what can't be read or understood is unknown. */
CpuFacts *cpu_facts_read(const Root *root);
CpuFacts *cpu_facts_new(void); /* none */
void cpu_facts_free(CpuFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuFacts, cpu_facts_free)

/* Both lists may be NULL; NULL when they do not have it. */
const CpuidLeaf *cpuid_find(const GArray *leaves, guint32 leaf);
const CpuMsr *msr_find(const GArray *msrs, guint32 address);
