/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The daemon's own configuration. It is read or complained of in words that can be shown, and what
 * was read is read back. */

#include <string.h>

#include "fuzz.h"
#include "settings.h"

static void check_read_back(const Settings *settings) {
        g_autoptr(GKeyFile) file = g_key_file_new();
        g_autoptr(GError) error = NULL;

        g_key_file_set_string(file, "Libvirt", "Uri", settings->libvirt);
        g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
        fuzz_write(SETTINGS_PATH, text, strlen(text));
        g_autoptr(Settings) again = settings_read(fuzz_root(), &error);
        g_assert_no_error(error);
        g_assert_cmpstr(settings->libvirt, ==, again->libvirt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t length;
        g_autofree char *text = fuzz_take_rest(&data, &size, &length);
        g_autoptr(GError) error = NULL;

        fuzz_write(SETTINGS_PATH, text, length);
        g_autoptr(Settings) settings = settings_read(fuzz_root(), &error);
        if (error) {
                fuzz_assert_utf8(error->message);
                g_assert_null(settings->libvirt);
        }
        if (settings->libvirt) {
                fuzz_assert_utf8(settings->libvirt);
                check_read_back(settings);
        }
        return 0;
}
