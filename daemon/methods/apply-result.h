/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What applying the desired state came to, in one answer: the host's half as a change of parameters
 * is answered, the guests' as SetCpus is, and in what all of it still differs. */

#include "desired-host.h"
#include "guests-result.h"

typedef struct ApplyResult {
        GVariant *host;   /* a{sv}, of describe_change(); NULL: nothing was asked of the host */
        GVariant *guests; /* a{sv}, of guests_result_describe(); NULL: nothing was asked of guests */
        GPtrArray *drift; /* Drift*, of the host */
        GPtrArray *notes; /* char* */
        const char *when;
        bool dry_run;
} ApplyResult;

/* (a{sv}), floating. */
GVariant *apply_result_describe(const ApplyResult *result);
/* Some guest would be changed, or was. */
bool apply_result_guests_differ(GVariant *guests);
/* Which: "web1, web2, web3 and 7 more". */
char *apply_result_guests_say(GVariant *guests);
