/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks for the folder. It reads nothing in it. */

#include "module-folder.h"

const char *const module_folders[] = {
                "lib/modules",
                "usr/lib/modules",
                "run/booted-system/kernel-modules/lib/modules",
                NULL,
};

char *module_folder_find(const Root *root, const char *release) {
        for (const char *const *parent = module_folders; *release && *parent; parent++) {
                g_autofree char *folder = g_build_filename(*parent, release, NULL);
                g_autofree char *list = g_build_filename(folder, "modules.dep", NULL);

                if (root_exists(root, list))
                        return g_steal_pointer(&folder);
        }
        return NULL;
}
