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

/* A command line: words, each with a zero byte behind it. */
typedef struct Line {
        char *text;
        size_t size;
        bool qemu; /* by the program's own name: others have such options, too */
} Line;

static void line_clear(Line *line) {
        g_free(line->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Line, line_clear)

static bool line_read(Line *line, const Root *root, const char *pid) {
        g_autofree char *path = g_strdup_printf("proc/%s/cmdline", pid), *program = NULL;

        if (!root_read(root, path, COMMAND_LINE_MAX, &line->text, &line->size, NULL))
                return false;
        program = g_path_get_basename(line->text);
        line->qemu = strstr(program, "qemu") || strstr(program, "kvm");
        return true;
}

/* The value of the first @option after @before, or of the first of all; an option may have one dash
 * or two. NULL: there is none. */
static const char *line_option(const Line *line, const char *option, const char *before) {
        for (const char *word = before ?: line->text; word < line->text + line->size; word += strlen(word) + 1) {
                const char *value = word + strlen(word) + 1;
                const char *name = g_str_has_prefix(word, "--") ? word + 1 : word;

                if (g_str_equal(name, option) && value < line->text + line->size)
                        return value;
        }
        return NULL;
}

/* QEMU takes the last -cpu. */
static const char *line_last(const Line *line, const char *option) {
        const char *last = NULL;

        for (const char *value = line_option(line, option, NULL); value; value = line_option(line, option, value))
                last = value;
        return last;
}

static bool is_yes(const char *word) {
        static const char *const words[] = {"on", "yes", "true", "y", NULL};

        return g_strv_contains(words, word);
}

/* What -cpu says of @feature. As QEMU reads it (target/i386/cpu.c, x86_cpu_parse_featurestr()), the
 * last of "svm=on" and the like counts, "+svm" more than these, and "-svm" most. */
static int read_feature(const char *cpu, const char *feature) {
        const size_t length = strlen(feature);
        int value = -1, sign = -1;

        for (;;) {
                g_autofree char *part = take_part(&cpu);
                if (!part)
                        return sign >= 0 ? sign : value;
                if (*part == '-' && g_str_equal(part + 1, feature))
                        sign = 0;
                else if (*part == '+' && g_str_equal(part + 1, feature))
                        sign = sign == 0 ? 0 : 1;
                else if (g_str_equal(part, feature))
                        value = 1;
                else if (g_str_has_prefix(part, feature) && part[length] == '=')
                        value = is_yes(part + length + 1);
        }
}

/* Of other models KVM's QEMU has svm left out, unless it is named, since the machine types of 2.2
 * (target/i386/kvm/kvm-cpu.c, kvm_default_props), and vmx is in none. Whether it is an older one
 * the first digit of the version tells well enough. */
static bool is_old_machine(const Line *line) {
        const char *value = line_last(line, "-machine") ?: line_last(line, "-M") ?: "";
        g_autofree char *type = take_part(&value);
        const char *version = type ? strrchr(type, '-') : NULL;

        return version && strchr("012", version[1]) && version[1] && version[2] == '.';
}

/* A property that is set of all CPUs. */
static bool is_set_elsewhere(const Line *line, const char *feature) {
        for (const char *value = line_option(line, "-global", NULL); value; value = line_option(line, "-global", value))
                if (strstr(value, feature))
                        return true;
        return false;
}

static const char *claim_of(const Line *line, const char *feature) {
        const char *cpu = line_last(line, "-cpu"), *at = cpu;
        g_autofree char *model = cpu ? take_part(&at) : NULL;
        const int named = cpu ? read_feature(at, feature) : -1;

        if (!model || is_set_elsewhere(line, feature))
                return "unknown";
        if (named >= 0)
                return named ? "yes" : "no";
        if (g_str_equal(model, "host") || g_str_equal(model, "max"))
                return "yes";
        return is_old_machine(line) ? "unknown" : "no";
}

void qemu_read_claims(const Root *root, const char *pid, const char *feature, QemuClaims *ret) {
        g_auto(Line) line = {};
        const bool read = line_read(&line, root, pid);
        const char *name = read && line.qemu ? line_option(&line, "-name", NULL) : NULL;

        *ret = (QemuClaims) {
                        .name = name ? guest_of_name(name) : g_strdup(""),
                        .nested = !feature    ? ""
                                  : !read     ? "unknown" /* it may be a long one */
                                  : line.qemu ? claim_of(&line, feature)
                                              : "",
        };
}

void qemu_claims_clear(QemuClaims *claims) {
        g_free(claims->name);
}

char *qemu_read_uuid(const Root *root, const char *pid) {
        g_auto(Line) line = {};
        const char *value = line_read(&line, root, pid) && line.qemu ? line_option(&line, "-uuid", NULL) : NULL;

        return g_ascii_strdown(value ?: "", -1);
}
