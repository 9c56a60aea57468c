/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the last probe says beside what the parameters say. It reads and changes nothing. */

#include <string.h>

#include "check-rules.h"

/* The probe's own words, as the end of a message. */
static char *told_by_probe(GVariant *result) {
        const char *message = "";

        (void) g_variant_lookup(result, "Message", "&s", &message);
        g_autofree char *text = g_strdup(message);
        if (g_str_has_suffix(text, "."))
                text[strlen(text) - 1] = '\0';
        return g_steal_pointer(&text);
}

static void find_contradiction(Check *check, const char *word) {
        const Module *module = check_module(check->host);
        const char *nested = host_nested(check->host);
        g_autofree char *told = told_by_probe(check->host->probe);

        if (g_str_equal(word, "on"))
                check_find(check, "fail", module->state == MODULE_LIVE ? "nestvirtctl reload" : "",
                           "nested is off (/sys/module/%s/parameters/nested), and yet a guest of a guest ran "
                           "(nestvirtctl probe): who may use KVM can run one",
                           module->name);
        else
                check_find(check, "fail", "",
                           "nested is %s (/sys/module/%s/parameters/nested), but nestvirtctl probe has found: %s",
                           nested, module->name, told);
}

/* Nothing where it was not tried, or where KVM is another one since. */
void rule_probe(Check *check) {
        const char *nested = host_nested(check->host), *word = "";
        gboolean stale = TRUE;

        if (!check->host->probe || !g_variant_lookup(check->host->probe, "Result", "&s", &word) ||
            !g_variant_lookup(check->host->probe, "Stale", "b", &stale) || stale)
                return;
        if (!g_str_equal(nested, "on") && !g_str_equal(nested, "off"))
                return;
        if (g_str_equal(word, "denied"))
                return; /* nothing is known then, and what is wrong with the device is told elsewhere */
        if (!g_str_equal(word, nested))
                find_contradiction(check, word);
        else if (g_str_equal(word, "on"))
                check_find(check, "pass", "", "A guest of a guest has run (nestvirtctl probe)");
        else
                check_find(check, "pass", "",
                           "No guest of a guest could run, not even with a virtual CPU that is forced to have %s "
                           "(nestvirtctl probe)",
                           g_str_equal(check_module(check->host)->name, "kvm_intel") ? "vmx" : "svm");
}
