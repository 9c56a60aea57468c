/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recognises sos's layout, and reads what commands have said. What is made of that is not decided
 * here. */

#include <string.h>

#include "collection.h"

#define MARK "version.txt"
#define COMMANDS "sos_commands"
#define UNAME_PATH COMMANDS "/kernel/uname_-a"
#define SYSCTL_PATH COMMANDS "/kernel/sysctl_-a"

static bool is_report(const char *path) {
        g_autofree char *mark = g_build_filename(path, MARK, NULL), *commands = g_build_filename(path, COMMANDS, NULL);

        return g_file_test(mark, G_FILE_TEST_IS_REGULAR) && g_file_test(commands, G_FILE_TEST_IS_DIR);
}

char *collection_find(const char *path) {
        g_autoptr(GDir) folder = is_report(path) ? NULL : g_dir_open(path, 0, NULL);
        const char *name = folder ? g_dir_read_name(folder) : NULL;
        g_autofree char *only = name && !g_dir_read_name(folder) ? g_build_filename(path, name, NULL) : NULL;

        return only && is_report(only) ? g_steal_pointer(&only) : g_strdup(path);
}

bool collection_is(const Root *root) {
        return root_exists(root, MARK) && root_exists(root, COMMANDS);
}

/* "Linux host1 6.1.0-38-amd64 …" */
static char *read_uname(const Root *root) {
        g_autofree char *line = root_read_line(root, UNAME_PATH);
        g_auto(GStrv) words = g_strsplit(line ?: "", " ", 4);

        return g_strv_length(words) == 4 && g_str_equal(words[0], "Linux") ? g_strdup(words[2]) : g_strdup("");
}

char *collection_release(const Root *root) {
        char *release = root_read_line(root, "proc/sys/kernel/osrelease");

        if (release)
                return release;
        return collection_is(root) ? read_uname(root) : g_strdup("");
}

char *collection_sysctl(const Root *root, const char *name) {
        g_autofree char *text = NULL, *begin = g_strconcat("\n", name, " = ", NULL), *all = NULL;
        const char *found;
        size_t size;

        if (!root_read(root, SYSCTL_PATH, ROOT_FILE_MAX, &text, &size, NULL))
                return NULL;
        all = g_strconcat("\n", text, NULL);
        found = strstr(all, begin);
        return found ? g_strndup(found + strlen(begin), strcspn(found + strlen(begin), "\n")) : NULL;
}
