/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Words for the values of parameters. It must not fetch anything. */

#include "inventory.h"
#include "parameter.h"

const char *parameter_word(const Value *entry, const char *value) {
        if (!g_str_equal(get_string(entry, "Kind"), "bool"))
                return value;
        return g_str_equal(value, "1") ? "on" : g_str_equal(value, "0") ? "off" : value;
}

char *parameter_configured(const Value *entry) {
        const char *configured = get_string(entry, "Configured"), *normal = get_string(entry, "Default");

        if (*configured)
                return g_strdup(parameter_word(entry, configured));
        return *normal ? g_strdup_printf("default (%s)", parameter_word(entry, normal)) : g_strdup("default");
}

/* As what is in effect is told, where the words of a choice are numbers, too. */
static const char *effective_word(const Value *entry, const char *value) {
        const char *kind = get_string(entry, "Kind");

        if (!g_str_equal(kind, "bool") && !g_str_equal(kind, "choice"))
                return value;
        return g_str_equal(value, "1") ? "on" : g_str_equal(value, "0") ? "off" : value;
}

/* "auto" is answered by whatever the kernel chose. */
static bool is_in_effect_otherwise(const Value *entry, const char *normal) {
        const char *effective = get_string(entry, "Effective");

        return *effective && !g_str_equal(effective, "unknown") && *normal && !g_str_equal(normal, "auto") &&
               !g_str_equal(effective, effective_word(entry, normal));
}

bool parameter_differs(const Value *entry) {
        const char *configured = get_string(entry, "Configured"), *normal = get_string(entry, "Default");

        return *get_string(entry, "Pending") || (*configured && !g_str_equal(configured, normal)) ||
               is_in_effect_otherwise(entry, normal);
}

bool parameter_matters(const Value *entry, const char *name) {
        static const char *const always[] = {"nested",       "ept",  "npt", "enable_shadow_vmcs",
                                             "enable_apicv", "avic", NULL};

        return g_strv_contains(always, name) || *get_string(entry, "Configured") || *get_string(entry, "Pending");
}
