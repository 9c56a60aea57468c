/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whether a virtual CPU that has all of one ability could be had on a host with another one, bit by
 * bit: by the rules by which KVM takes the feature registers of a virtual CPU (vmx_set_vmx_msr() in
 * arch/x86/kvm/vmx/nested.c, the same in Linux 5.13 and 6.1.176; before 5.19 against what the
 * virtual CPU had, which is the same of a new one), and those by which QEMU gives a guest what is
 * in CPUID, and takes the state of its guest (nested_state_post_load() of target/i386/machine.c).
 * Registers that KVM makes of others or of CPUID can't be set, and do not count. It knows no
 * parameters. */

#include <glib.h>

#include "ability.h"

typedef enum AbilityVerdict {
        ABILITY_UNKNOWN, /* one of them does not tell what would decide it */
        ABILITY_REFUSES,
        ABILITY_ACCEPTS,
        ABILITY_IDENTICAL,
} AbilityVerdict;

typedef struct AbilityDifference {
        AbilityKey key;
        unsigned bit;     /* of the value; 64: it is about more than one */
        const char *kind; /* "missing": not offered there; "required": can't be left out there; "value": another one */
        char *feature;    /* as QEMU calls it, or of a value what it is */
} AbilityDifference;

/* Of a guest of @from on the host with @to. In *@ret, which may be NULL, why it is refused:
 * AbilityDifference*, none with any other verdict. */
AbilityVerdict ability_compare(const Ability *from, const Ability *to, GPtrArray **ret);
const char *ability_verdict_to_string(AbilityVerdict verdict); /* "unknown" "refuses" "accepts" "identical" */
