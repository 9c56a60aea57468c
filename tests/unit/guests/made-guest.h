/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Guests for tests, in few words. */

#include "guest-facts.h"

/* "mode model policy [check] [mmu] [other] [argument] [launch] [match] [hyperv] [less]", "-" for
 * what is not said; NULL or "?": it could not be read. */
GuestCpu made_cpu(const char *text);
/* Called "one", of type kvm, persistent; running when @live, with a managed save when @saved. */
GuestFacts *made_guest(const char *defined, const char *live, const char *saved);
void made_snapshot(GuestFacts *facts, const char *name, const char *cpu);
