/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is found about the desired state: that it can't be understood, and in what the host differs.
 * It reads and changes nothing. */

#include "check-rules.h"
#include "desired-host.h"

static void find_drift(Check *check, const Drift *drift) {
        const char *configured = *drift->configured ? drift->configured : "nothing";

        if (drift->pending)
                return;
        check_find(check, "warn", "nestvirtctl apply",
                   "%s.%s is not as desired: desired is %s, configured %s, in effect %s", drift->module, drift->name,
                   drift->desired, configured, *drift->effective ? drift->effective : "nothing");
}

void rule_desired_state(Check *check) {
        g_autoptr(GPtrArray) drift = NULL;
        g_autofree char *error = NULL;
        g_autoptr(GPtrArray) settings = desired_of_host(check->host, &drift, &error);

        if (!settings && *error)
                check_find(check, "fail", "", "The desired state can't be applied: %s", error);
        for (unsigned i = 0; settings && i < drift->len; i++)
                find_drift(check, g_ptr_array_index(drift, i));
}
