/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What QEMU, and libvirt after it, call the bits of an ability: feature_word_info of QEMU's
 * target/i386/cpu.c, as of its commit 0048035a870312f2fd0f3dd28115398d26e419bb. Two bits have one
 * name there: vmx-invept-single-context is also the one for INVVPID. Names of later CPU models that
 * stand for several are not used: each bit is by itself. */

#include <glib.h>

#include "ability.h"

/* The feature of bit @bit of the value under @key, of a control register that of its high half; or,
 * where QEMU has no name, "msr.48c bit 14". */
char *ability_feature(AbilityKey key, unsigned bit);
/* It is the name of one of them. */
bool ability_has_name(const char *name);
/* All that is offered and has a name, sorted, no duplicates: "vmx" and "vmx-…", or "svm", "npt"…;
 * none when nothing is offered. */
GStrv ability_features(const Ability *ability);
