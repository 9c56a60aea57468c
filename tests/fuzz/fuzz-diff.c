/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The difference of the two halves of the input, parted by its first zero byte. Taking from it what
 * was and what is now must give these halves again, as far as they are in it. */

#include <glib.h>
#include <string.h>

#include "diff-module.h"
#include "fuzz.h"

/* Each line of the diff that begins with @mark lies in @text, in this order. */
static void check(const char *diff, char mark, const char *text) {
        g_auto(GStrv) lines = g_strsplit(diff, "\n", -1);
        const char *at = text;

        for (char **line = lines; *line; line++) {
                if (**line != mark || !(*line)[1])
                        continue;
                at = strstr(at, *line + 1);
                g_assert_nonnull(at);
                at += strlen(*line + 1);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *before = g_strndup((const char *) data, size), *after = NULL;
        g_autoptr(GString) out = g_string_new(NULL);
        const size_t old_length = strlen(before);

        after = old_length < size ? g_strndup((const char *) data + old_length + 1, size - old_length - 1)
                                  : g_strdup("");
        g_assert_true(diff_module_hunks(before, old_length, after, strlen(after), out));
        if (g_str_equal(before, after))
                g_assert_cmpuint(out->len, ==, 0);
        check(out->str, '-', before);
        check(out->str, '+', after);
        return 0;
}
