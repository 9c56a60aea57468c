/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the reading itself, before all that was read. It reads and changes
 * nothing. */

#include "check-rules.h"

static void find_old(Check *check, const Fault *fault) {
        g_autofree char *told = fault_to_string(fault);

        check_find(check, "fail", fault_fix(fault),
                   "%s. What is told of this host is %s, and changes are refused until it can be read; that is tried "
                   "again by itself",
                   told, check->host->unknown ? "unknown" : "as it was before");
}

void rule_reading_failed(Check *check) {
        const Fault *around = check->facts->fault;

        if (check->host->fault)
                find_old(check, check->host->fault);
        else if (around) {
                g_autofree char *told = fault_to_string(around);
                check_find(check, "fail", fault_fix(around), "%s. So nothing else can be found now: ask again", told);
        }
}
