/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The door to the module that compares texts. It must not look into them. */

#include <string.h>

#include "diff-module.h"
#include "diff.h"
#include "error.h"
#include "plugin.h"

/* Names of guests may hold anything but a slash; a header is one line. */
static void append_header(GString *out, const char *mark, const char *name) {
        g_autofree char *line = g_strdelimit(g_strdup(name), "\n\r\t", ' ');

        g_string_append_printf(out, "%s %s\n", mark, line);
}

/* Whoever runs this may have left libgit2 out, as nothing else needs it. */
static DiffModuleHunks load(GError **error) {
        gpointer hunks = plugin_symbol(DIFF_MODULE, DIFF_MODULE_HUNKS, error);

        if (!hunks && error && strstr((*error)->message, "libgit2.so"))
                g_prefix_error(error, "libgit2, which makes differences, is missing (Debian has it in libgit2-%s). ",
                               LIBGIT2_SOVERSION);
        return (DiffModuleHunks) hunks;
}

char *diff_unified(const char *before, const char *after, const char *name, GError **error) {
        static DiffModuleHunks hunks;
        g_autoptr(GString) out = g_string_new(NULL);
        const gsize old_length = strlen(before), new_length = strlen(after);

        if (g_str_equal(before, after))
                return g_strdup("");
        if (old_length > DIFF_MAX || new_length > DIFF_MAX - old_length) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The texts are too long to be compared");
                return NULL;
        }
        if (!hunks)
                hunks = load(error);
        if (!hunks)
                return NULL;
        append_header(out, "---", name);
        append_header(out, "+++", name);
        if (hunks(before, old_length, after, new_length, out))
                return g_string_free(g_steal_pointer(&out), FALSE);
        g_set_error(error, CONDITION, CONDITION_INTERNAL, "The texts could not be compared");
        return NULL;
}
