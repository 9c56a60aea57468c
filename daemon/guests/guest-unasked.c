/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One rule over a guest's verdict. */

#include "guest-unasked.h"
#include "guest-verdict.h"

bool guest_nests_unasked(const GuestFacts *facts, const GuestHost *host) {
        g_autoptr(GuestVerdict) verdict = NULL;

        if (!facts->windows || !facts->defined.mode || *facts->defined.policy)
                return false;
        verdict = guest_verdict_new(facts, host);
        return g_str_equal(verdict->now, "yes") || g_str_equal(verdict->next_start, "yes");
}
