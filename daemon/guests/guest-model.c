/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names: which of libvirt's CPU models and of QEMU's machine types bring svm. No rule about a guest
 * is here. */

#include <glib.h>
#include <string.h>

#include "guest-model.h"

bool guest_model_brings_svm(const char *model) {
        /* Prefixes: the models come in versions ("EPYC-Rome-v4"). */
        static const char *const models[] = {"EPYC",       "Dhyana",     "phenom",     "Opteron_G2",
                                             "Opteron_G3", "Opteron_G4", "Opteron_G5", "qemu64"};

        for (gsize i = 0; i < G_N_ELEMENTS(models); i++)
                if (g_str_has_prefix(model, models[i]))
                        return true;
        return false;
}

static bool has_prefix(const char *word, const char *const *prefixes, gsize n) {
        for (gsize i = 0; i < n; i++)
                if (g_str_has_prefix(word, prefixes[i]))
                        return true;
        return false;
}

const char *guest_model_vendor(const char *model) {
        static const char *const amd[] = {"EPYC", "Dhyana", "phenom", "athlon", "Opteron_G"};
        static const char *const intel[] = {"coreduo",      "core2duo",         "n270",           "Conroe",
                                            "Penryn",       "Nehalem",          "Westmere",       "SandyBridge",
                                            "IvyBridge",    "Haswell",          "Broadwell",      "Skylake-",
                                            "Cascadelake",  "Cooperlake",       "Icelake-",       "Snowridge",
                                            "Denverton",    "KnightsMill",      "SapphireRapids", "GraniteRapids",
                                            "SierraForest", "ClearwaterForest", "DiamondRapids",  "YongFeng"};

        if (has_prefix(model, amd, G_N_ELEMENTS(amd)))
                return "amd";
        return has_prefix(model, intel, G_N_ELEMENTS(intel)) ? "intel" : NULL;
}

bool guest_model_needs_vendor(const char *model) {
        return guest_model_brings_svm(model) && guest_model_vendor(model);
}

bool guest_is_32_bit(const char *arch, const char *emulator) {
        return g_str_equal(arch, "i686") && !strstr(emulator, "x86_64") && !strstr(emulator, "kvm");
}

char *guest_launch_forbids(const char *launch) {
        if (g_str_has_prefix(launch, "sev"))
                return g_strdup_printf(
                                "Its memory is encrypted (<launchSecurity type='%s'>): the host's KVM can't read "
                                "there what it would have to run, and kvm_amd refuses to load in such a guest.",
                                launch);
        if (g_str_equal(launch, "tdx"))
                return g_strdup("It is a trust domain (<launchSecurity type='tdx'>): the TDX module gives it no vmx.");
        return NULL;
}

/* What QEMU had before 2.2. A machine type is kept over the years, so that its guest never sees
 * another. */
bool guest_machine_keeps_svm(const char *machine) {
        static const char *const prefixes[] = {"pc-0",          "pc-1",     "pc-i440fx-1", "pc-i440fx-2.0",
                                               "pc-i440fx-2.1", "pc-q35-1", "pc-q35-2.0",  "pc-q35-2.1"};

        for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
                /* Not 2.10 for 2.1. */
                if (g_str_has_prefix(machine, prefixes[i]) && !g_ascii_isdigit(machine[strlen(prefixes[i])]))
                        return true;
        return false;
}
