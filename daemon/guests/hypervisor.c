/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The door to the module. What comes through it is not looked at. */

#include "error.h"
#include "hypervisor.h"
#include "plugin.h"

const char *const hypervisor_sockets[] = {
                HYPERVISOR_FOLDER "/libvirt-sock",
                HYPERVISOR_FOLDER "/virtqemud-sock",
                NULL,
};

char *hypervisor_uri_of_files(const Root *root) {
        g_autofree char *folder = root_absolute(root, "");

        return root_exists(root, HYPERVISOR_DEFINITIONS) ? g_strconcat(HYPERVISOR_FILES_PREFIX, folder, NULL)
                                                         : g_strdup("");
}

const Hypervisor *hypervisor_load(const char *uri, GError **error) {
        const bool files = g_str_has_prefix(uri, HYPERVISOR_FILES_PREFIX);
        g_autoptr(GError) problem = NULL;
        const Hypervisor *hypervisor = files ? plugin_symbol("nestvirt-files.so", "hypervisor_files", &problem)
                                             : plugin_symbol("nestvirt-libvirt.so", "hypervisor_libvirt", &problem);

        if (!hypervisor)
                g_set_error_literal(error, CONDITION, CONDITION_LIBVIRT_UNAVAILABLE, problem->message);
        return hypervisor;
}

bool hypervisor_is_uuid(const char *text) {
        for (unsigned i = 0; i < 36; i++)
                if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
                                                            : !g_ascii_isxdigit(text[i]) || g_ascii_isupper(text[i]))
                        return false;
        return text[36] == '\0';
}
