/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The host as guests have it, now or as a change would leave it (guest-impact.h). */

#include <stdbool.h>

/* What of the host matters to guests. */
typedef struct GuestHost {
        const char *vendor; /* "intel", "amd", or ""; interned */
        const char *nested; /* as Manager.Nested; static */
        const char *mmu;    /* as Manager.Mmu; static */
        bool live;          /* KVM is there, so that guests of type kvm can start at all */
        bool cpu_has;       /* the CPU has vmx or svm, whatever KVM makes of it */
        bool kvm_kept;      /* nested may only look off: see host.h */
} GuestHost;
