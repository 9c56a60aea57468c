/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the word, and holds it against what the device has said. */

#include <string.h>

#include "arm-nesting.h"

#define CAP_ARM_EL2 240U /* linux/kvm.h, KVM_CAP_ARM_EL2 */

/* The last one counts. To the kernel a dash and an underscore in a name are the same
 * (kernel/params.c, parameq()). */
bool arm_nesting_is_asked(const Root *root) {
        static const char name[] = "kvm-arm.mode=";
        g_autofree char *cmdline = root_read_line(root, "proc/cmdline");
        g_auto(GStrv) words = g_strsplit_set(cmdline ?: "", " \t", -1);
        bool asked = false;

        for (char **word = words; *word && !g_str_equal(*word, "--"); word++) {
                const char *equals = strchr(*word, '=');
                if (!equals)
                        continue;
                g_autofree char *key = g_strndup(*word, (gsize) (equals + 1 - *word));
                if (g_str_equal(g_strdelimit(key, "_", '-'), name))
                        asked = g_str_equal(equals + 1, "nested");
        }
        return asked;
}

const char *arm_nesting_judge(bool asked, const CpuFacts *facts) {
        const CpuMsr *cap = msr_find(facts->kvm_cap, CAP_ARM_EL2);

        if (cap && cap->value > 0)
                return "on";
        if (!asked)
                return "off";
        return cap ? "unavailable" : "unknown";
}
