/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What libvirt's comparison of a <cpu> with the host means for the next start. */

#include "guest-judge.h"

/* NULL: it was not asked about this CPU, or said nothing. */
const Comparison *guest_compared(const Judge *judge);
/* "fails" when libvirt refuses the start; NULL: it does not, or is not known to. */
const char *guest_compared_refuses(Judge *judge);
/* @verdict, or "unknown" where that rests on a start of which it is not known whether it fails. */
const char *guest_compared_doubts(Judge *judge, const char *verdict);
