/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the CPU offers to virtualization, from all sources: as the kernel prints it of the first
 * processor in /proc/cpuinfo, where others differ from it, and what the CPU says of itself. It
 * knows nothing of modules or their parameters. */

#include <glib.h>
#include <stdbool.h>

#include "cpu-facts.h"
#include "cpuinfo.h"
#include "root.h"

typedef struct Cpu {
        /* as uname -m spells it: "x86_64", "aarch64", "s390x"…; "unknown" if it can't be told.
         * Beneath another root from proc/sys/kernel/arch (since Linux 6.1), else from what
         * cpuinfo looks like */
        char *architecture;
        /* "intel" (GenuineIntel, CentaurHauls, Shanghai: VMX), "amd" (AuthenticAMD,
         * HygonGenuine: SVM), or "" */
        char *vendor;
        char *model;    /* model name, may be empty */
        GStrv features; /* virtualization features in the kernel's spelling, sorted, no duplicates */
        unsigned level; /* 0 on the hardware, 1 inside a virtual machine */
        /* what is below at level 1, as systemd-detect-virt(1) spells it: "kvm", "microsoft",
         * "vmware", "xen"…, "unknown"; else "". On an x86 machine the CPU says it (CPUID
         * 0x40000000 and up); elsewhere and beneath another root it is taken from
         * sys/hypervisor/type and DMI */
        char *hypervisor;
        /* Xen, which has a level below us unless it is this that runs the machine: the control
         * domain (proc/xen/capabilities: control_d) is at level 0, and what the CPU can is Xen's
         * alone. A guest of the type PV (sys/hypervisor/guest_type, Linux 4.13) is given none of it
         * ever. */
        bool xen_control, xen_pv;
        const char *confidential; /* what kind of such a virtual machine it is (confidential.h), or ""; static */
        bool has_vmx_flags;       /* the kernel prints "vmx flags": their absence means something */
        bool flags_cleared;       /* the kernel command line has it hide flags (clearcpuid=) */
        unsigned processors;      /* how many /proc/cpuinfo has */
        GPtrArray *spread;        /* CpuOdd*: virtualization flags that not all of them have (cpu-spread.h) */
        CpuFacts *facts;
        Cpuinfo *info; /* what it was read from; NULL: nothing was read */
} Cpu;

Cpu *cpu_read(const Root *root); /* never fails: what can't be read is empty */
/* The same, where nothing was heard of the processors since @before: see cpuinfo_read_since(). */
Cpu *cpu_read_since(const Root *root, const Cpu *before);
Cpu *cpu_new_unknown(void); /* of which nothing was read */
void cpu_free(Cpu *cpu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cpu, cpu_free)

bool cpu_has(const Cpu *cpu, const char *feature);
