/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a path of the cgroup file system. The slices are root's, and so is the name of what is
 * right below them; all that comes after may have been made by anybody. */

#include <string.h>

#include "unit.h"

#define CGROUP_MAX ((size_t) 64 * 1024)
/* systemd's UNIT_NAME_MAX */
#define NAME_MAX_BYTES 255U

/* The kinds of units that have processes. */
static const char *const suffixes[] = {".service", ".scope", ".mount", ".swap", ".socket", NULL};

static bool is_name(const char *name, const char *suffix) {
        const size_t size = strlen(name);

        return size <= NAME_MAX_BYTES && size > strlen(suffix) && g_str_has_suffix(name, suffix) &&
               strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ":-_.\\@") == size;
}

/* The unit of @path, a cgroup such as "/machine.slice/machine-qemu-1-web1.scope/libvirt/emulator":
 * the first below the slices, as cg_path_get_unit() of systemd reads it; "" when there is none. */
static char *of_cgroup(const char *path) {
        g_auto(GStrv) parts = g_strsplit(path + (*path == '/'), "/", -1);
        char **part = parts;

        while (*part && is_name(*part, ".slice"))
                part++;
        /* What would look like a file of the kernel's own has an underscore before it. */
        const char *name = *part ? *part + (**part == '_') : "";
        for (const char *const *suffix = suffixes; *suffix; suffix++)
                if (is_name(name, *suffix))
                        return g_strdup(name);
        return g_strdup("");
}

/* ID:CONTROLLERS:PATH, of which the last may have colons in it, too (man 7 cgroups). */
static const char *path_of_line(const char *line, const char *controllers) {
        const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        const size_t size = strlen(controllers);

        if (!second || (size_t) (second - first) != size + 1 || strncmp(first + 1, controllers, size) != 0)
                return NULL;
        return second + 1;
}

char *unit_read(const Root *root, const char *pid) {
        g_autofree char *path = g_strdup_printf("proc/%s/cgroup", pid), *text = NULL;
        g_auto(GStrv) lines = NULL;
        const char *unified = NULL;

        if (!root_read(root, path, CGROUP_MAX, &text, NULL, NULL))
                return g_strdup("");
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
                const char *legacy = path_of_line(*line, "name=systemd"), *other = path_of_line(*line, "");

                if (legacy)
                        return of_cgroup(legacy);
                unified = unified ?: other;
        }
        return unified ? of_cgroup(unified) : g_strdup("");
}
