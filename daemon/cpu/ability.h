/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What KVM offers here to a guest that is to have guests of its own, and nothing else of the host:
 * bit by bit, as KVM tells it on /dev/kvm itself (arch/x86/kvm/x86.c, KVM_GET_SUPPORTED_CPUID,
 * KVM_GET_MSRS of the feature registers since Linux 4.17, KVM_CAP_NESTED_STATE since 4.20). With
 * VMX that are the registers 0x480 to 0x491, with SVM CPUID 0x8000000a. Two hosts that offer the
 * same have the same one, whatever their kernels and parameters are called. Of x86 alone.
 *
 * It travels as pairs of texts: names and numbers in hexadecimal, "0x" and no leading zeros. */

#include <glib.h>
#include <stdbool.h>

#include "cpu-facts.h"

/* What it means when the same text has another meaning. */
#define ABILITY_SCHEMA_VERSION 1U

#define ABILITY_MSR_FIRST 0x480U
#define ABILITY_MSR_LAST 0x491U

/* In the order of their names' bytes. */
typedef enum AbilityKey {
        ABILITY_ARCHITECTURE, /* "x86_64", "i686" */
        ABILITY_SVM_EAX,      /* CPUID 0x8000000a: revision */
        ABILITY_SVM_EBX,      /* number of address spaces */
        ABILITY_SVM_EDX,      /* features */
        ABILITY_MSR,          /* the first of the registers */
        ABILITY_NESTED_STATE = ABILITY_MSR + (ABILITY_MSR_LAST - ABILITY_MSR_FIRST) + 1, /* bytes at most */
        ABILITY_SCHEMA,
        ABILITY_SVM, /* 1: guests may have it */
        ABILITY_VENDOR,
        ABILITY_VMX,
        ABILITY_KEYS
} AbilityKey;

typedef struct Ability {
        const char *architecture, *vendor; /* static; NULL: not told */
        bool known[ABILITY_KEYS];
        guint64 value[ABILITY_KEYS]; /* of the numbers that are known */
} Ability;

static inline AbilityKey ability_msr(guint32 address) {
        return (AbilityKey) (ABILITY_MSR + (address - ABILITY_MSR_FIRST));
}

/* NULL and CONDITION_UNSUPPORTED when the facts do not tell. */
Ability *ability_read(const CpuFacts *facts, const char *architecture, const char *vendor, GError **error);
/* None of it told; ability_add() and ability_is_whole() for what somebody else has read. */
Ability *ability_new(void);
void ability_free(Ability *ability);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ability, ability_free)

/* False with CONDITION_INVALID_ARGS when it is no name or value of one, or told already. */
bool ability_add(Ability *ability, const char *name, const char *text, GError **error);
/* False with CONDITION_INVALID_ARGS when it is of another schema, or lacks what all have. */
bool ability_is_whole(const Ability *ability, GError **error);

const char *ability_name(AbilityKey key);
/* NULL when it is not told. */
char *ability_text(const Ability *ability, AbilityKey key);
/* A guest may have vmx, or svm. */
bool ability_offers(const Ability *ability);
bool ability_equal(const Ability *a, const Ability *b);

/* One object, its keys sorted, without any space: the same ability is the same text. */
char *ability_json(const Ability *ability);
/* Of that text, in hexadecimal. */
char *ability_sha256(const Ability *ability);
