/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words for the values of parameters. It must not fetch anything. */

#include "inventory.h"
#include "parameter.h"

const char *parameter_word(GVariant *entry, const char *value) {
        if (!g_str_equal(get_string(entry, "Kind"), "bool"))
                return value;
        return g_str_equal(value, "1") ? "on" : g_str_equal(value, "0") ? "off" : value;
}

char *parameter_configured(GVariant *entry) {
        const char *configured = get_string(entry, "Configured"), *normal = get_string(entry, "Default");

        if (*configured)
                return g_strdup(parameter_word(entry, configured));
        return *normal ? g_strdup_printf("default (%s)", parameter_word(entry, normal)) : g_strdup("default");
}

bool parameter_matters(GVariant *entry, const char *name) {
        static const char *const always[] = {"nested",       "ept",  "npt", "enable_shadow_vmcs",
                                             "enable_apicv", "avic", NULL};

        return g_strv_contains(always, name) || *get_string(entry, "Configured") || *get_string(entry, "Pending");
}
