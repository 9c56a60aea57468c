/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a host offers to guests that are to have guests (ability.h), with what explains it and does
 * not count: the kernel, the processor, the parameters. Of this host, or as somebody tells of
 * another; and what becomes of a guest of the one on the other. */

#include <glib.h>
#include <stdbool.h>

#include "ability-compare.h"
#include "host.h"

typedef struct Fingerprint {
        Ability *ability;
        char *release, *model;  /* "" when not told */
        GHashTable *parameters; /* "kvm_amd.npt" -> "1": as in effect, of those that the ability depends on */
} Fingerprint;

Fingerprint *fingerprint_of_host(const Host *host, GError **error);
Fingerprint *fingerprint_new(void); /* nothing told yet */
void fingerprint_free(Fingerprint *fingerprint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fingerprint, fingerprint_free)

/* As somebody tells it. False with CONDITION_INVALID_ARGS, as of ability_add(). */
bool fingerprint_add_ability(Fingerprint *fingerprint, const char *name, const char *text, GError **error);
/* What is not among the parameters that count here is let go. */
void fingerprint_add_parameter(Fingerprint *fingerprint, const char *name, const char *value);
/* Nothing more is told: false with CONDITION_INVALID_ARGS when there is too little, or @sha256,
 * which may be NULL, is that of another ability. */
bool fingerprint_is_whole(const Fingerprint *fingerprint, const char *sha256, GError **error);

/* The parameter that makes up for a difference: "kvm_amd.npt=1" with *@ret_there true, where the
 * one that refuses has it off and so lacks the feature; or "kvm_amd.npt=0" with false, to be set on
 * the host of the guest, which does without from its next start on. NULL when none does. */
char *fingerprint_remedy(const Fingerprint *from, const Fingerprint *to, const AbilityDifference *difference,
                         bool *ret_there);
