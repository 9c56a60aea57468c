/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads a command line. It must not believe it: what a claim is worth is decided by whoever
 * asks. */

#include <string.h>

#include "qemu.h"

#define COMMAND_LINE_MAX ((size_t) 256 * 1024)

/* The next part of "a,b,c", in which a comma that belongs to a part is doubled; NULL at the end. */
static char *take_part(const char **text) {
        g_autoptr(GString) part = g_string_new(NULL);

        if (!**text)
                return NULL;
        for (; **text; (*text)++) {
                if (**text == ',' && *++*text != ',')
                        break;
                g_string_append_c(part, **text);
        }
        return g_string_free(g_steal_pointer(&part), FALSE);
}

/* QEMU: -name guest=NAME,debug-threads=on or -name NAME,debug-threads=on, in any order. */
static char *guest_of_name(const char *text) {
        for (;;) {
                g_autofree char *part = take_part(&text);

                if (!part)
                        return g_strdup("");
                if (g_str_has_prefix(part, "guest="))
                        return g_utf8_make_valid(part + strlen("guest="), -1);
                if (!strchr(part, '='))
                        return g_utf8_make_valid(part, -1);
        }
}

/* The value of @option, which may have one dash or two; NULL when this is no QEMU, or it has
 * none. */
static char *read_option(const Root *root, const char *pid, const char *option) {
        g_autofree char *path = g_strdup_printf("proc/%s/cmdline", pid), *text = NULL, *program = NULL;
        size_t size;

        if (!root_read(root, path, COMMAND_LINE_MAX, &text, &size, NULL))
                return NULL;
        /* The program's own name first: other programs have such options, too. */
        program = g_path_get_basename(text);
        if (!strstr(program, "qemu") && !strstr(program, "kvm"))
                return NULL;
        for (const char *argument = text; argument < text + size; argument += strlen(argument) + 1) {
                const char *value = argument + strlen(argument) + 1;
                const char *name = g_str_has_prefix(argument, "--") ? argument + 1 : argument;

                if (g_str_equal(name, option) && value < text + size)
                        return g_strdup(value);
        }
        return NULL;
}

char *qemu_read_name(const Root *root, const char *pid) {
        g_autofree char *value = read_option(root, pid, "-name");

        return value ? guest_of_name(value) : g_strdup("");
}

char *qemu_read_uuid(const Root *root, const char *pid) {
        g_autofree char *value = read_option(root, pid, "-uuid");

        return g_ascii_strdown(value ?: "", -1);
}
