/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What can be said of a guest's nesting: rules over facts that others have gathered. Pure; it knows
 * no libvirt and no bus.
 *
 * How libvirt behaves was read in libvirt 9.0.0 and 11.3.0 and, where a rule rests on it, tried with 9.0.0 and QEMU 7.2:
 * - policy='require' for vmx is weak: libvirt checks it against the raw CPU, not against KVM. With nested=0 the guest starts without it
 *   (src/qemu/qemu_capabilities.c, virQEMUCapsInitHostCPUModel()), but for check='full'. So it is with svm, named or in a model.
 * - The XML of a running guest with host-passthrough says "require" whatever the guest has.
 * - A module of KVM can't be reloaded while a guest runs: the parameter of now is the one that the guest was started with.
 * - AMD's models have svm (src/cpu_map), but with KVM, QEMU leaves it out of a model unless it is named (target/i386/kvm/kvm-cpu.c,
 *   kvm_default_props, since 2.2; machine types of before keep it: hw/i386/pc_piix.c, pc_compat_2_1_fn(), until 9.0), libvirt does not name
 *   what is in the model, and the XML of the running guest then says "disable". So it is with host-model, which comes to one of AMD's models
 *   where the CPU has svm. Intel's models have no vmx, and host-model names it.
 * - What the CPU itself has not is no wish: with svm required on Intel, or a model that has it, or vmx on AMD, libvirt refuses the start. The
 *   host's CPU passed through is compared with check='full' alone.
 * - With check='none' libvirt compares nothing, and QEMU leaves out what KVM does not give.
 * - A start with a managed save brings back the CPU of the save, whatever the definition says. */

#include <glib.h>
#include <stdbool.h>

/* What a definition, a running guest's XML, a save or a snapshot says of the CPU; spelled as
 * libvirt does, "" for what is not said. All are interned (g_intern_string()), as thousands of
 * guests say the same, but for what a plan asks for (guest-plan.h); NULL only when all of it is: it
 * could not be read. */
typedef struct GuestCpu {
        const char *mode, *model, *check;
        const char *policy;       /* of the one feature that makes a hypervisor: vmx or svm */
        const char *other_policy; /* of the other vendor's: svm or vmx */
        const char *mmu_policy;   /* of what lets the guest's own guests have two-dimensional paging: vmx-ept or npt */
} GuestCpu;

typedef struct GuestSnapshot {
        char *name;
        GuestCpu cpu;
} GuestSnapshot;

typedef struct GuestFacts {
        char *name, *uuid; /* the UUID in lower case with dashes */
        bool active, persistent;
        const char *type, *arch, *machine; /* "kvm", "qemu", …; "x86_64", …; "pc-q35-7.2", …; interned */
        GuestCpu defined;                  /* of the persistent definition; of the running guest when there is none */
        GuestCpu live;                     /* of the running guest */
        bool managed_save;
        GuestCpu saved;       /* of the managed save */
        GPtrArray *snapshots; /* GuestSnapshot*; NULL: none */
        gint64 nested_run; /* guests' entries of all virtual CPUs since the start; -1 when the kernel or QEMU does not tell, or has not yet */
        gint64 guest_mode; /* virtual CPUs that run a guest of the guest right now; -1 likewise */
} GuestFacts;

/* What of the host matters to guests. */
typedef struct GuestHost {
        const char *vendor; /* "intel", "amd", or ""; interned */
        const char *nested; /* as Manager.Nested; static */
        const char *mmu;    /* as Manager.Mmu; static */
        bool live;          /* KVM is there, so that guests of type kvm can start at all */
        bool cpu_has;       /* the CPU has vmx or svm, whatever KVM makes of it */
        bool kvm_kept;      /* nested may only look off: see host.h */
} GuestHost;

/* The words of org.nestvirt1.Guest. */
typedef struct GuestVerdict {
        const char *next_start; /* "yes" "no" "fails" "unknown" */
        const char *now;        /* "yes" "no" "unknown" "" */
        const char *using;      /* "yes" "has" "no" "unknown" "" */
        const char *mmu;        /* "ept-on-ept" "shadow-on-ept" "npt-on-npt" "shadow-on-npt" "shadow-on-shadow" "" */
        bool restart_needed;
        char *saved_state;
        char *start_reason; /* why next_start is so: a sentence or several */
        char *reason;       /* of both, where they differ */
} GuestVerdict;

GuestFacts *guest_facts_new(void);
/* Only what it has run. */
void guest_facts_take_runs(GuestFacts *facts, const GuestFacts *from);
void guest_facts_free(GuestFacts *facts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestFacts, guest_facts_free)
void guest_snapshot_free(GuestSnapshot *snapshot);

/* All of it says nothing. */
GuestCpu guest_cpu_empty(void);
/* "vmx", "svm", or NULL for a vendor without one. */
const char *guest_feature(const char *vendor);
/* libvirt's CPU model brings svm with it; false for names that are not known. */
bool guest_model_brings_svm(const char *model);
/* QEMU leaves svm in such a model when it is run as this machine type. */
bool guest_machine_keeps_svm(const char *machine);

/* It asks for vmx or svm, or takes what the host gives; false as well when @cpu could not be
 * read. */
bool guest_cpu_can_nest(const GuestCpu *cpu, const char *vendor);
GuestVerdict *guest_judge(const GuestFacts *facts, const GuestHost *host);
void guest_verdict_free(GuestVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GuestVerdict, guest_verdict_free)
