/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the modprobe.d folders and the kernel command line as libkmod does, and remembers where each option came from. What libkmod
 * would swallow without an end (a fifo, a line of a megabyte) is left out and said. It must not judge what the options mean. */

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "options.h"

/* Far beyond any configuration that a person wrote, and little enough to read at every change of a folder. */
#define FILES_MAX 4096U
#define BYTES_MAX ((size_t) 4 * 1024 * 1024)
#define LINES_MAX 16384U /* of one file, so that one bad file does not use up what all of them may have */
#define LINE_BYTES_MAX ((size_t) 64 * 1024)
#define DIRECTIVES_MAX 65536U
#define BAD_MAX 256U
/* libkmod reads no more of the kernel command line (KCMD_LINE_SIZE). */
#define KERNEL_LINE_MAX 4095U

/* kmod 30 lacks the fourth, which on most systems is the same directory as the fifth. Up to 32 it also reads *.alias, where nobody
 * writes options. */
const char *const options_folders[] = {
                "etc/modprobe.d",     "run/modprobe.d", "usr/local/lib/modprobe.d",
                "usr/lib/modprobe.d", "lib/modprobe.d", NULL,
};

typedef struct File {
        char *name;
        char *path; /* beneath the root */
        bool empty; /* a mask */
} File;

/* One "options" line. */
typedef struct Directive {
        char *module;
        char *text;
        char *path;
        unsigned line;
} Directive;

typedef struct Reading {
        const Root *root;
        Options *options;
        GPtrArray *directives;
        GHashTable *names; /* of files: which ones are taken */
        GPtrArray *files;
        GPtrArray *masked;
        size_t bytes;
} Reading;

static void file_free(File *file) {
        g_free(file->name);
        g_free(file->path);
        g_free(file);
}

static void directive_free(Directive *directive) {
        g_free(directive->module);
        g_free(directive->text);
        g_free(directive->path);
        g_free(directive);
}

static void option_free(Option *option) {
        g_free(option->module);
        g_free(option->name);
        g_free(option->value);
        g_free(option->path);
        g_free(option);
}

static void command_free(Command *command) {
        g_free(command->verb);
        g_free(command->module);
        g_free(command->path);
        g_free(command);
}

static void bad_line_free(BadLine *bad) {
        g_free(bad->path);
        g_free(bad->why);
        g_free(bad);
}

/* A path as people are shown it. */
static char *shown_path(const char *path) {
        g_autofree char *absolute = g_strconcat("/", path, NULL);

        return g_utf8_make_valid(absolute, -1);
}

G_GNUC_PRINTF(4, 5)
static void add_bad(Reading *reading, const char *path, unsigned line, const char *format, ...) {
        BadLine *bad;
        va_list arguments;

        if (reading->options->bad->len >= BAD_MAX)
                return;
        bad = g_new0(BadLine, 1);
        bad->path = shown_path(path);
        bad->line = line;
        va_start(arguments, format);
        bad->why = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_ptr_array_add(reading->options->bad, bad);
}

/* The beginning of what somebody wrote, fit to be shown. */
static char *excerpt(const char *text) {
        g_autofree char *head = g_strndup(text, 40);
        char *shown = g_utf8_make_valid(head, -1);

        for (char *c = shown; *c; c++)
                if (g_ascii_iscntrl(*c))
                        *c = '?';
        return shown;
}

char *options_next_line(OptionsCursor *cursor) {
        g_autoptr(GString) line = g_string_new(NULL);

        if (cursor->at >= cursor->end)
                return NULL;
        cursor->line = ++cursor->next_line;
        while (cursor->at < cursor->end) {
                char c = *cursor->at++;

                if (c == '\n')
                        break;
                if (c == '\\') {
                        if (cursor->at >= cursor->end)
                                break;
                        c = *cursor->at++;
                        if (c == '\n') {
                                cursor->next_line++;
                                continue;
                        }
                }
                g_string_append_c(line, c);
        }
        return g_string_free(g_steal_pointer(&line), FALSE);
}

char *options_take_word(char **rest) {
        char *word = *rest + strspn(*rest, "\t ");

        *rest = word + strcspn(word, "\t ");
        if (*word == 0)
                return NULL;
        if (**rest)
                *(*rest)++ = 0;
        return word;
}

/* Space as the kernel has it (lib/ctype.c), where the no-break space of Latin-1 is one. */
static bool is_space(char c) {
        return strchr(" \t\n\v\f\r\xa0", c) && c;
}

char *options_take_parameter(char **rest, char **ret_value) {
        char *name = *rest, *value = NULL, *end;
        bool quoted, in_quotes;

        while (is_space(*name))
                name++;
        in_quotes = quoted = *name == '"';
        if (quoted)
                name++;
        for (end = name; *end && (in_quotes || !is_space(*end)); end++) {
                if (*end == '"')
                        in_quotes = !in_quotes;
                if (*end == '=' && !value && end > name)
                        value = end + 1;
        }
        *rest = *end ? end + 1 : end;
        *end = 0;
        if (value) {
                value[-1] = 0;
                if (*value == '"') {
                        value++;
                        if (end[-1] == '"')
                                end[-1] = 0;
                }
        }
        if (quoted && end > name && end[-1] == '"')
                end[-1] = 0;
        *ret_value = value;
        return (*name || value || quoted) && (value || !g_str_equal(name, "--")) ? name : NULL;
}

bool options_underscores(char *name) {
        for (; *name; name++) {
                if (*name == '-')
                        *name = '_';
                else if (*name == ']')
                        return false;
                else if (*name == '[') {
                        name = strchr(name, ']');
                        if (!name)
                                return false;
                }
        }
        return true;
}

static void add_directive(Reading *reading, const char *path, unsigned line, const char *module, const char *text) {
        Directive *directive = g_new0(Directive, 1);

        directive->module = g_strdup(module);
        directive->text = g_strdelimit(g_strdup(text), "\t", ' ');
        directive->path = path ? shown_path(path) : NULL;
        directive->line = line;
        g_ptr_array_add(reading->directives, directive);
}

static void add_command(Reading *reading, const char *path, unsigned line, const char *verb, const char *module) {
        Command *command = g_new0(Command, 1);

        command->verb = g_strdup(verb);
        command->module = g_utf8_make_valid(module, -1);
        command->path = path ? shown_path(path) : NULL;
        command->line = line;
        g_ptr_array_add(reading->options->commands, command);
}

static void parse_line(Reading *reading, const char *path, unsigned line, char *text) {
        static const char *const verbs[] = {"options",   "install", "remove",  "softdep",
                                            "blacklist", "alias",   "weakdep", NULL};
        char *rest = text, *verb, *module;
        bool needs_rest;

        if (*text == '#')
                return;
        verb = options_take_word(&rest);
        if (!verb)
                return;
        if (!g_strv_contains(verbs, verb)) {
                g_autofree char *shown = excerpt(verb);

                add_bad(reading, path, line, "\"%s\" is no word that modprobe knows, so it ignores the line", shown);
                return;
        }
        module = options_take_word(&rest);
        if (g_str_equal(verb, "alias") && module && options_underscores(module))
                module = options_take_word(&rest);
        needs_rest = !g_str_equal(verb, "alias") && !g_str_equal(verb, "blacklist");
        if (!module || !options_underscores(module) || (needs_rest && !*rest)) {
                add_bad(reading, path, line, "modprobe ignores this \"%s\" line: it needs a module%s", verb,
                        needs_rest ? " and something to say about it" : "");
                return;
        }
        if (g_str_equal(verb, "options"))
                add_directive(reading, path, line, module, rest);
        else if (g_str_equal(verb, "install") || g_str_equal(verb, "remove") || g_str_equal(verb, "blacklist"))
                add_command(reading, path, line, verb, module);
}

static void parse_text(Reading *reading, const char *path, const char *text, size_t size) {
        OptionsCursor cursor = {.at = text, .end = text + size};

        if (memchr(text, 0, size))
                add_bad(reading, path, 0, "the file has NUL bytes: modprobe does not see what follows one in its line");
        for (unsigned n = 1;; n++) {
                const char *begin = cursor.at;
                g_autofree char *line = options_next_line(&cursor);

                if (!line)
                        return;
                if (n > LINES_MAX || reading->directives->len + reading->options->commands->len >= DIRECTIVES_MAX) {
                        add_bad(reading, path, cursor.line, "too many lines: from here on the file is not looked at");
                        return;
                }
                if ((size_t) (cursor.at - begin) <= LINE_BYTES_MAX)
                        parse_line(reading, path, cursor.line, line);
                else
                        add_bad(reading, path, cursor.line, "the line is longer than %zu bytes: it is not looked at",
                                LINE_BYTES_MAX);
        }
}

static void read_file(Reading *reading, const File *file) {
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        size_t size;

        if (file->empty)
                return;
        if (!root_read(reading->root, file->path, ROOT_FILE_MAX, &text, &size, &error)) {
                add_bad(reading, file->path, 0, "the file is not looked at: %s", error->message);
                return;
        }
        reading->bytes += size;
        if (reading->bytes > BYTES_MAX)
                add_bad(reading, file->path, 0,
                        "the file is not looked at: with those before it, it makes more than %zu bytes", BYTES_MAX);
        else
                parse_text(reading, file->path, text, size);
}

/* Whether libkmod takes this entry of a folder for a file of its own: with what it does not take it also hides nothing. */
static bool classify(Reading *reading, const char *path, bool *ret_empty) {
        g_autofree char *link = NULL;
        struct stat st;
        int result = root_stat(reading->root, path, &st);

        *ret_empty = false;
        if (result < 0) {
                /* A link to /dev/null masks also where the root has no /dev. */
                link = root_read_link(reading->root, path);
                *ret_empty = g_strcmp0(link, "/dev/null") == 0;
                if (!*ret_empty)
                        add_bad(reading, path, 0, "the link is not looked at: %s", g_strerror(-result));
                return *ret_empty;
        }
        if (S_ISDIR(st.st_mode)) {
                add_bad(reading, path, 0, "it is a directory: modprobe ignores it");
                return false;
        }
        *ret_empty = !S_ISREG(st.st_mode);
        if (*ret_empty && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
                add_bad(reading, path, 0,
                        "it is no regular file: it is not looked at, and modprobe may wait for it forever");
        return true;
}

static void list_folder(Reading *reading, const char *folder) {
        g_auto(GStrv) names = root_list(reading->root, folder);

        for (char **name = names; *name; name++) {
                g_autofree char *path = g_build_filename(folder, *name, NULL);
                bool empty;
                File *file;

                if (**name == '.' || !g_str_has_suffix(*name, ".conf") || !classify(reading, path, &empty))
                        continue;
                if (g_hash_table_contains(reading->names, *name)) {
                        g_ptr_array_add(reading->masked, shown_path(path));
                        continue;
                }
                if (reading->files->len >= FILES_MAX) {
                        add_bad(reading, path, 0, "the file is not looked at: there are more than %u", FILES_MAX);
                        break;
                }
                file = g_new0(File, 1);
                file->name = g_strdup(*name);
                file->path = g_steal_pointer(&path);
                file->empty = empty;
                g_ptr_array_add(reading->files, file);
                g_hash_table_add(reading->names, file->name);
        }
}

/* On most systems /lib is /usr/lib: the same file is not hidden by itself. */
static bool is_same_folder(const Root *root, const char *const *folder) {
        struct stat st, other;

        if (root_stat(root, *folder, &st) < 0)
                return false;
        for (const char *const *f = options_folders; f < folder; f++)
                if (root_stat(root, *f, &other) >= 0 && other.st_dev == st.st_dev && other.st_ino == st.st_ino)
                        return true;
        return false;
}

static int compare_files(const void *a, const void *b) {
        return strcmp((*(File *const *) a)->name, (*(File *const *) b)->name);
}

static void read_folders(Reading *reading) {
        for (const char *const *folder = options_folders; *folder; folder++)
                if (!is_same_folder(reading->root, folder))
                        list_folder(reading, *folder);
        g_ptr_array_sort(reading->files, compare_files);
        for (unsigned i = 0; i < reading->files->len; i++)
                read_file(reading, g_ptr_array_index(reading->files, i));
}

/* One word of the kernel command line, "kvm_amd.nested=0" or "\"kvm_amd.x=a b\"". What libkmod takes for ill-formed is left out. */
static void parse_kernel_word(Reading *reading, char *word) {
        bool quoted = *word == '"';
        char *module = word + quoted, *name, *value;
        g_autofree char *text = NULL;

        name = module + strcspn(module, ".=\" \t\n\v\f\r");
        if (*name != '.' || name == module)
                return;
        *name++ = 0;
        value = name + strcspn(name, ".=\" \t\n\v\f\r");
        if (*value && *value != '=')
                return;
        /* The boot loader may have moved the quotes around the whole word. */
        if (quoted)
                text = g_strdup_printf("%.*s=\"%s", (int) (value - name), name, value + 1);
        if (g_str_equal(module, "modprobe") && g_str_has_prefix(name, "blacklist=")) {
                g_auto(GStrv) modules = g_strsplit((text ?: name) + strlen("blacklist="), ",", -1);

                for (char **m = modules; *m; m++)
                        add_command(reading, NULL, 0, "blacklist", *m);
                return;
        }
        if (options_underscores(module))
                add_directive(reading, NULL, 0, module, text ?: name);
}

static void read_kernel_line(Reading *reading) {
        g_autofree char *text = NULL;
        size_t size;
        bool in_quotes = false;

        if (!root_read(reading->root, "proc/cmdline", ROOT_FILE_MAX, &text, &size, NULL))
                return;
        if (size > KERNEL_LINE_MAX)
                text[KERNEL_LINE_MAX] = 0;
        for (char *c = text, *word = text;; c++) {
                bool ended = *c == 0;

                if (*c == '"')
                        in_quotes = !in_quotes;
                if (!ended && (in_quotes || !strchr(" \t\n\v\f\r", *c)))
                        continue;
                *c = 0;
                /* A quote that is never closed takes its word with it. */
                if (c > word && !in_quotes)
                        parse_kernel_word(reading, word);
                if (ended)
                        break;
                word = c + 1;
        }
}

/* Where the option that begins at @offset of a module's joined text was said. */
typedef struct Joined {
        GString *text;
        GArray *ends;     /* size_t */
        GPtrArray *lines; /* Directive* */
} Joined;

static void joined_free(Joined *joined) {
        g_string_free(joined->text, TRUE);
        g_array_unref(joined->ends);
        g_ptr_array_unref(joined->lines);
        g_free(joined);
}

static void split_joined(Options *options, const Joined *joined) {
        char *rest = joined->text->str, *name, *value;
        unsigned segment = 0;

        while ((name = options_take_parameter(&rest, &value))) {
                const Directive *directive;
                Option *option = g_new0(Option, 1);

                while (segment + 1 < joined->ends->len &&
                       (size_t) (name - joined->text->str) > g_array_index(joined->ends, size_t, segment))
                        segment++;
                directive = g_ptr_array_index(joined->lines, segment);
                option->module = g_utf8_make_valid(directive->module, -1);
                option->name = g_strdelimit(g_utf8_make_valid(name, -1), "-", '_');
                option->value = g_utf8_make_valid(value ?: "", -1);
                option->bare = !value;
                option->path = g_strdup(directive->path);
                option->line = directive->line;
                g_ptr_array_add(options->options, option);
        }
}

/* The kernel gets the lines of a module joined by spaces, so an open quote or "--" reaches over the end of its line. */
static void split_directives(Reading *reading) {
        g_autoptr(GHashTable) modules = g_hash_table_new(g_str_hash, g_str_equal);
        g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func((GDestroyNotify) joined_free);

        for (unsigned i = 0; i < reading->directives->len; i++) {
                Directive *directive = g_ptr_array_index(reading->directives, i);
                Joined *joined = g_hash_table_lookup(modules, directive->module);

                if (!joined) {
                        joined = g_new0(Joined, 1);
                        joined->text = g_string_new(NULL);
                        joined->ends = g_array_new(FALSE, FALSE, sizeof(size_t));
                        joined->lines = g_ptr_array_new();
                        g_ptr_array_add(order, joined);
                        g_hash_table_insert(modules, directive->module, joined);
                }
                if (joined->text->len > 0)
                        g_string_append_c(joined->text, ' ');
                g_string_append(joined->text, directive->text);
                g_array_append_val(joined->ends, joined->text->len);
                g_ptr_array_add(joined->lines, directive);
        }
        for (unsigned i = 0; i < order->len; i++)
                split_joined(reading->options, g_ptr_array_index(order, i));
}

Options *options_read(const Root *root) {
        Options *options = g_new0(Options, 1);
        g_autoptr(GPtrArray) directives = g_ptr_array_new_with_free_func((GDestroyNotify) directive_free);
        g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify) file_free);
        g_autoptr(GPtrArray) masked = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
        Reading reading = {
                        .root = root,
                        .options = options,
                        .directives = directives,
                        .names = names,
                        .files = files,
                        .masked = masked,
        };

        options->options = g_ptr_array_new_with_free_func((GDestroyNotify) option_free);
        options->commands = g_ptr_array_new_with_free_func((GDestroyNotify) command_free);
        options->bad = g_ptr_array_new_with_free_func((GDestroyNotify) bad_line_free);
        read_folders(&reading);
        read_kernel_line(&reading);
        split_directives(&reading);
        g_ptr_array_add(masked, NULL);
        options->masked = (GStrv) g_ptr_array_free(g_steal_pointer(&masked), FALSE);
        return options;
}

void options_free(Options *options) {
        if (!options)
                return;
        g_ptr_array_unref(options->options);
        g_ptr_array_unref(options->commands);
        g_ptr_array_unref(options->bad);
        g_strfreev(options->masked);
        g_free(options);
}

char *option_source(const Option *option) {
        return option->path ? g_strdup_printf("%s:%u", option->path, option->line) : g_strdup("kernel command line");
}

const Option *options_winner(const Options *options, const char *module, const char *name, GStrv *ret_overridden) {
        g_autoptr(GPtrArray) overridden = g_ptr_array_new_with_free_func(g_free);
        const Option *winner = NULL;

        for (unsigned i = options->options->len; i > 0; i--) {
                const Option *option = g_ptr_array_index(options->options, i - 1);

                if (!g_str_equal(option->module, module) || !g_str_equal(option->name, name))
                        continue;
                if (!winner)
                        winner = option;
                else
                        g_ptr_array_add(overridden, option_source(option));
        }
        if (ret_overridden) {
                g_ptr_array_add(overridden, NULL);
                *ret_overridden = (GStrv) g_ptr_array_free(g_steal_pointer(&overridden), FALSE);
        }
        return winner;
}

const Command *options_command(const Options *options, const char *verb, const char *module) {
        for (unsigned i = 0; i < options->commands->len; i++) {
                const Command *command = g_ptr_array_index(options->commands, i);

                if (!g_str_equal(command->verb, verb))
                        continue;
                /* libkmod-module.c: patterns for install and remove, names for blacklist. */
                if (g_str_equal(verb, "blacklist") ? g_str_equal(command->module, module)
                                                   : fnmatch(command->module, module, 0) == 0)
                        return command;
        }
        return NULL;
}
