/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one reader of the daemon's own configuration, a key file. It gives no meaning to what it
 * reads. */

#include "error.h"
#include "settings.h"

#define FILE_MAX ((size_t) 64 * 1024)

Settings *settings_read(const Root *root, GError **error) {
        Settings *settings = g_new0(Settings, 1);
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_autoptr(GError) problem = NULL;
        g_autofree char *text = NULL;
        size_t size = 0;

        if (!root_read(root, SETTINGS_PATH, FILE_MAX, &text, &size, &problem)) {
                if (!g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT))
                        g_propagate_prefixed_error(error, g_steal_pointer(&problem),
                                                   "Cannot read /" SETTINGS_PATH ": ");
                return settings;
        }
        if (size > 0 && !g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, &problem)) {
                g_propagate_prefixed_error(error, g_steal_pointer(&problem), "/" SETTINGS_PATH " is no key file: ");
                error_make_valid(error);
                return settings;
        }
        settings->libvirt = g_key_file_get_string(file, "Libvirt", "Uri", NULL);
        settings->hidden = g_key_file_get_boolean(file, "Guests", "Hidden", &problem);
        if (g_error_matches(problem, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE)) {
                settings->hidden = true; /* somebody has wanted something */
                g_propagate_prefixed_error(error, g_steal_pointer(&problem),
                                           "/" SETTINGS_PATH ": the guests are hidden, as Hidden is neither true nor "
                                           "false: ");
        }
        return settings;
}

void settings_free(Settings *settings) {
        if (!settings)
                return;
        g_free(settings->libvirt);
        g_free(settings);
}
