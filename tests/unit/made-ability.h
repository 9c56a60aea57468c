/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Abilities as kernels have them: of Linux 6.1 on a processor with all that is wanted. */

#include "ability.h"

Ability *made_vmx(void);
Ability *made_svm(void);
/* Nothing is offered: nested is off. */
Ability *made_none(const char *vendor);
