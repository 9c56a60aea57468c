/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The CPU of a guest as its definition, the XML of the running guest, a save or a snapshot names
 * it, and what that asks for. Pure. */

#include <glib.h>
#include <stdbool.h>

/* What a definition, a running guest's XML, a save or a snapshot says of the CPU; spelled as
 * libvirt does, "" for what is not said. The words are the guest's (guest-facts.h) or the plan's
 * (guest-plan.h); NULL only when all of it is: it could not be read. */
typedef struct GuestCpu {
        const char *mode, *model, *check;
        const char *policy;       /* of the one feature that makes a hypervisor: vmx or svm */
        const char *other_policy; /* of the other vendor's: svm or vmx */
        const char *mmu_policy;   /* of what lets the guest's own guests have two-dimensional paging: vmx-ept or npt */
        /* "-cpu" or "-global" among the arguments for QEMU that it has: QEMU gives a CPU that all
         * of the above does not tell of */
        const char *argument;
        const char *launch; /* "sev", "sev-snp", "tdx" …: of <launchSecurity> */
        const char *match;  /* "minimum", "exact", "strict" */
        const char *hyperv; /* "evmcs": it is to have that of Hyper-V's enlightenments */
        /* "disable" or "forbid": of any other feature that only hypervisors have, and of npt and
         * vmx-ept as well */
        const char *less;
} GuestCpu;

/* What a CPU definition asks for, before the host has its say. */
typedef enum Wish {
        WISH_NO,      /* it does without */
        WISH_TAKE,    /* it takes what the host gives */
        WISH_REQUIRE, /* it names the feature */
        WISH_MODEL,   /* its model has the feature, and wants all of it */
        WISH_FORBID,  /* it does not start where the CPU has the feature */
} Wish;

/* All of it says nothing. */
GuestCpu guest_cpu_empty(void);
/* "vmx", "svm", or NULL for a vendor without one. */
const char *guest_feature(const char *vendor);

/* @vendor, here and below: of the host's CPU, "intel", "amd" or ""; it decides which feature. */
Wish guest_cpu_wish(const GuestCpu *cpu, const char *vendor);
/* The host's CPU as it is: host-passthrough or maximum. */
bool guest_cpu_passes_through(const GuestCpu *cpu);
/* host-model, or what comes to that: of match='minimum' the model is only the least. */
bool guest_cpu_takes_host_model(const GuestCpu *cpu);
/* libvirt holds it against the host when it starts. */
bool guest_cpu_is_compared(const GuestCpu *cpu);
/* It names the feature, or its model has it. Of XML that libvirt has written after a start: what is
 * left there was given. */
bool guest_cpu_names_feature(const GuestCpu *cpu, const char *vendor);
/* It asks for vmx or svm, or takes what the host gives, and could make use of it; false as well
 * when @cpu could not be read. */
bool guest_cpu_can_nest(const GuestCpu *cpu, const char *vendor);
/* @live, of XML that libvirt has written after a start, is of another kind than the definition came
 * to then. */
bool guest_cpu_modes_differ(const GuestCpu *live, const GuestCpu *defined);
/* One can nest where the other can't, on a host that can, or they are of another kind. */
bool guest_cpus_differ(const GuestCpu *cpu, const GuestCpu *defined, const char *vendor);
