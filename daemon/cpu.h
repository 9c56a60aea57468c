/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the CPU offers to virtualization, as the kernel prints it in /proc/cpuinfo (arch/x86/kernel/cpu/proc.c; the
 * "vmx flags" line exists since Linux 5.6). Only the first CPU is looked at: KVM does not load when they differ. It knows nothing
 * of modules or their parameters. */

#include <glib.h>
#include <stdbool.h>

#include "root.h"

typedef struct Cpu {
        char *architecture; /* as uname -m spells it: "x86_64", "aarch64", "s390x"…; "unknown" if it can't be told. Beneath
                             * another root from proc/sys/kernel/arch (since Linux 6.1), else from what cpuinfo looks like */
        char *vendor; /* "intel" (GenuineIntel, CentaurHauls, Shanghai: VMX), "amd" (AuthenticAMD, HygonGenuine: SVM), or "" */
        char *model;      /* model name, may be empty */
        GStrv features;   /* virtualization features in the kernel's spelling, sorted, no duplicates */
        unsigned level;   /* 0 on the hardware, 1 inside a virtual machine */
        char *hypervisor; /* what is below at level 1, as systemd-detect-virt(1) spells it: "kvm", "microsoft", "vmware",
                             * "xen"…, "unknown"; else "". On an x86 machine the CPU says it (CPUID 0x40000000 and up);
                             * elsewhere and beneath another root it is taken from sys/hypervisor/type and DMI */
        bool has_vmx_flags; /* the kernel prints "vmx flags": their absence means something */
} Cpu;

Cpu *cpu_read(const Root *root); /* never fails: what can't be read is empty */
void cpu_free(Cpu *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cpu, cpu_free)

bool cpu_has(const Cpu *cpu, const char *feature);
