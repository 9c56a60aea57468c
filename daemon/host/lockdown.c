/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the kernel's own word. It must not know what follows from it. */

#include <string.h>

#include "lockdown.h"

/* "none [integrity] confidentiality" (security/lockdown/lockdown.c). */
char *lockdown_read(const Root *root) {
        g_autofree char *line = root_read_line(root, LOCKDOWN_PATH);
        const char *open = line ? strchr(line, '[') : NULL, *close = open ? strchr(open, ']') : NULL;
        g_autofree char *level = close ? g_strndup(open + 1, (gsize) (close - open - 1)) : g_strdup("");

        return g_str_equal(level, "none") ? g_strdup("") : g_steal_pointer(&level);
}
