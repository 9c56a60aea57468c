/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks up a group in etc/group, and where the system's own groups are kept apart, in
 * usr/lib/group. It must not ask anybody else. */

#include "group.h"

static gid_t find_in(const Root *root, const char *path, const char *name) {
        g_autofree char *text = NULL;
        size_t size;

        if (!root_read(root, path, ROOT_FILE_MAX, &text, &size, NULL))
                return 0;
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
                g_auto(GStrv) fields = g_strsplit(*line, ":", 4);
                guint64 number;
                if (g_strv_length(fields) == 4 && g_str_equal(fields[0], name) &&
                    g_ascii_string_to_unsigned(fields[2], 10, 0, G_MAXUINT32, &number, NULL))
                        return (gid_t) number;
        }
        return 0;
}

gid_t group_find(const Root *root, const char *name) {
        const gid_t group = find_in(root, "etc/group", name);

        return group != 0 ? group : find_in(root, "usr/lib/group", name);
}
