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
