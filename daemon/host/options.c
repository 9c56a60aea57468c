/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads the modprobe.d folders and the kernel command line as libkmod does, and remembers where
 * each option came from. What libkmod would swallow without an end (a fifo, a line of a megabyte)
 * is left out and said. It must not judge what the options mean. */

#include <stdio.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "syntax.h"

/* Far beyond any configuration that a person wrote, and little enough to read at every change of a
 * folder. */
#define BYTES_MAX ((size_t) 4 * 1024 * 1024)
#define LINES_MAX 16384U /* of one file, so that one bad file does not use up what all of them may have */
#define LINE_BYTES_MAX ((size_t) 64 * 1024)
#define DIRECTIVES_MAX 65536U
/* libkmod reads no more of the kernel command line (KCMD_LINE_SIZE). */
#define KERNEL_LINE_MAX 4095U

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
        size_t bytes;
} Reading;

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
        g_free(command->text);
        g_free(command->path);
        g_free(command);
}

static void add_directive(Reading *reading, const char *path, unsigned line, const char *module, const char *text) {
        Directive *directive = g_new0(Directive, 1);

        directive->module = g_strdup(module);
        directive->text = g_strdelimit(g_strdup(text), "\t", ' ');
        directive->path = path ? conf_shown_path(path) : NULL;
        directive->line = line;
        g_ptr_array_add(reading->directives, directive);
}

static void add_command(Reading *reading, const char *path, unsigned line, const char *verb, const char *module,
                        const char *text) {
        Command *command = g_new0(Command, 1);

        command->verb = g_strdup(verb);
        command->module = g_utf8_make_valid(module, -1);
        command->text = g_strstrip(g_utf8_make_valid(text, -1));
        command->path = path ? conf_shown_path(path) : NULL;
        command->line = line;
        g_ptr_array_add(reading->options->commands, command);
}

static void parse_line(Reading *reading, const char *path, unsigned line, char *text) {
        static const char *const verbs[] = {"options",   "install", "remove",  "softdep",
                                            "blacklist", "alias",   "weakdep", NULL};
        char *rest = text, *verb, *module, *other = NULL;
        bool needs_rest;

        if (*text == '#')
                return;
        verb = syntax_take_word(&rest);
        if (!verb)
                return;
        if (!g_strv_contains(verbs, verb)) {
                g_autofree char *shown = error_quote(verb);

                bad_line_add(reading->options->bad, path, line,
                             "\"%s\" is no word that modprobe knows, so it ignores the line%s", shown,
                             strchr(rest, '=') ? ": one of options begins with \"options\", then the module" : "");
                return;
        }
        module = syntax_take_word(&rest);
        if (g_str_equal(verb, "alias") && module && syntax_underscores(module)) {
                other = module;
                module = syntax_take_word(&rest);
        }
        needs_rest = !g_str_equal(verb, "alias") && !g_str_equal(verb, "blacklist");
        if (!module || !syntax_underscores(module) || (needs_rest && !*rest)) {
                bad_line_add(reading->options->bad, path, line,
                             "modprobe ignores this \"%s\" line: it needs a module%s%s", verb,
                             needs_rest ? " and something to say about it" : "",
                             module && strchr(module, '.') ? ", a blank between the two" : "");
                return;
        }
        if (g_str_equal(verb, "options"))
                add_directive(reading, path, line, module, rest);
        else if (other && g_str_equal(module, "off"))
                add_command(reading, path, line, verb, other, module);
        else if (other)
                return; /* another name is none of what is asked for here */
        else if (!g_str_equal(verb, "weakdep"))
                add_command(reading, path, line, verb, module, rest);
}

static void parse_text(Reading *reading, const char *path, const char *text, size_t size) {
        SyntaxCursor cursor = {.at = text, .end = text + size};

        if (memchr(text, 0, size))
                bad_line_add(reading->options->bad, path, 0,
                             "the file has NUL bytes: modprobe does not see what follows one in its line");
        for (unsigned n = 1;; n++) {
                const char *begin = cursor.at;
                g_autofree char *line = syntax_next_line(&cursor);

                if (!line)
                        return;
                /* libkmod/libkmod-util.c, kmod 30: what it reads after it is the end of the file,
                 * taken for a character. */
                if (cursor.cut)
                        bad_line_add(reading->options->bad, path, cursor.line,
                                     "the file ends in a backslash: modprobe may add a stray character to this line");
                if (n > LINES_MAX || reading->directives->len + reading->options->commands->len >= DIRECTIVES_MAX) {
                        bad_line_add(reading->options->bad, path, cursor.line,
                                     "too many lines: from here on the file is not looked at");
                        return;
                }
                if ((size_t) (cursor.at - begin) <= LINE_BYTES_MAX)
                        parse_line(reading, path, cursor.line, line);
                else
                        bad_line_add(reading->options->bad, path, cursor.line,
                                     "the line is longer than %zu bytes: it is not looked at", LINE_BYTES_MAX);
        }
}

static void read_file(Reading *reading, const ConfFile *file) {
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        size_t size;

        if (file->empty)
                return;
        if (file->text) {
                text = g_strdup(file->text);
                size = strlen(text);
        } else if (!root_read(reading->root, file->path, ROOT_FILE_MAX, &text, &size, &error)) {
                bad_line_add(reading->options->bad, file->path, 0, "the file is not looked at: %s", error->message);
                return;
        }
        reading->bytes += size;
        if (reading->bytes > BYTES_MAX)
                bad_line_add(reading->options->bad, file->path, 0,
                             "the file is not looked at: with those before it, it makes more than %zu bytes",
                             BYTES_MAX);
        else
                parse_text(reading, file->path, text, size);
}

static void add_blacklist(Reading *reading, const char *verb, const char *list) {
        g_auto(GStrv) modules = g_strsplit(list, ",", -1);

        for (char **module = modules; *module; module++)
                add_command(reading, NULL, 0, verb, *module, "");
}

static gboolean is_kernel_blacklist(gconstpointer command, gconstpointer unused) {
        return g_str_equal(((const Command *) command)->verb, "module_blacklist");
}

/* "module_blacklist=kvm_amd,kvm": the last one of them counts. */
static void parse_kernel_blacklist(Reading *reading, const char *word) {
        static const char name[] = "module_blacklist=";
        g_autofree char *plain = g_strndup(word, strlen(name));
        unsigned index;

        if (!g_str_equal(g_strdelimit(plain, "-", '_'), name))
                return;
        while (g_ptr_array_find_with_equal_func(reading->options->commands, NULL, is_kernel_blacklist, &index))
                g_ptr_array_remove_index(reading->options->commands, index);
        add_blacklist(reading, "module_blacklist", word + strlen(name));
}

/* One word of the kernel command line, "kvm_amd.nested=0" or "\"kvm_amd.x=a b\"". What libkmod
 * takes for ill-formed is left out. */
static void parse_kernel_word(Reading *reading, char *word) {
        bool quoted = *word == '"';
        char *module = word + quoted, *name, *value;
        g_autofree char *text = NULL;

        name = module + strcspn(module, ".=\" \t\n\v\f\r");
        if (*name != '.' || name == module) {
                parse_kernel_blacklist(reading, word);
                return;
        }
        *name++ = 0;
        value = name + strcspn(name, ".=\" \t\n\v\f\r");
        if (*value && *value != '=')
                return;
        /* The boot loader may have moved the quotes around the whole word. */
        if (quoted)
                text = g_strdup_printf("%.*s=\"%s", (int) (value - name), name, value + 1);
        if (g_str_equal(module, "modprobe") && g_str_has_prefix(name, "blacklist=")) {
                add_blacklist(reading, "blacklist", (text ?: name) + strlen("blacklist="));
                return;
        }
        if (syntax_underscores(module))
                add_directive(reading, NULL, 0, module, text ?: name);
}

/* NULL when there is none. */
static char *read_kernel_line(const Root *root) {
        char *text = NULL;
        size_t size;

        if (!root_read(root, "proc/cmdline", ROOT_FILE_MAX, &text, &size, NULL))
                return NULL;
        if (size > KERNEL_LINE_MAX)
                text[KERNEL_LINE_MAX] = 0;
        return text;
}

static void parse_kernel_line(Reading *reading, const char *line) {
        g_autofree char *text = g_strdup(line ?: "");
        bool in_quotes = false;

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

/* @segment: of the joined lines, the one before @at that was last found. */
static Option *option_new(const Joined *joined, unsigned *segment, const char *at, const char *name,
                          const char *value) {
        Option *option = g_new0(Option, 1);
        const Directive *directive;

        while (*segment + 1 < joined->ends->len &&
               (size_t) (at - joined->text->str) > g_array_index(joined->ends, size_t, *segment))
                (*segment)++;
        directive = g_ptr_array_index(joined->lines, *segment);
        option->module = g_utf8_make_valid(directive->module, -1);
        option->name = g_strdelimit(g_utf8_make_valid(name, -1), "-", '_');
        option->value = g_utf8_make_valid(value ?: "", -1);
        option->bare = !value;
        option->path = g_strdup(directive->path);
        option->line = directive->line;
        return option;
}

static void split_joined(Options *options, const Joined *joined) {
        char *rest = joined->text->str, *name, *value;
        unsigned segment = 0;

        while ((name = syntax_take_parameter(&rest, &value)))
                g_ptr_array_add(options->options, option_new(joined, &segment, name, name, value));
        if (rest < joined->text->str + joined->text->len)
                g_ptr_array_add(options->stops, option_new(joined, &segment, rest - 1, "--", NULL));
}

/* The kernel gets the lines of a module joined by spaces, so an open quote or "--" reaches over the
 * end of its line. */
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

Options *options_new(void) {
        Options *options = g_new0(Options, 1);

        options->options = g_ptr_array_new_with_free_func((GDestroyNotify) option_free);
        options->commands = g_ptr_array_new_with_free_func((GDestroyNotify) command_free);
        options->bad = g_ptr_array_new_with_free_func((GDestroyNotify) bad_line_free);
        options->stops = g_ptr_array_new_with_free_func((GDestroyNotify) option_free);
        options->masked = g_new0(char *, 1);
        options->references = 1;
        return options;
}

Options *options_read_with(const Root *root, GHashTable *instead) {
        Options *options = options_new();
        g_autoptr(GPtrArray) directives = g_ptr_array_new_with_free_func((GDestroyNotify) directive_free);
        g_autoptr(GPtrArray) masked = g_ptr_array_new_with_free_func(g_free), files = NULL;
        Reading reading = {.root = root, .options = options, .directives = directives};

        options->stamps = instead ? NULL : stamps_new();
        files = conf_list(root, instead, masked, options->bad, options->stamps);
        for (unsigned i = 0; i < files->len; i++)
                read_file(&reading, g_ptr_array_index(files, i));
        options->kernel_line = read_kernel_line(root);
        parse_kernel_line(&reading, options->kernel_line);
        split_directives(&reading);
        options_make_index(options);
        g_ptr_array_add(masked, NULL);
        g_strfreev(options->masked);
        options->masked = (GStrv) g_ptr_array_free(g_steal_pointer(&masked), FALSE);
        return options;
}

Options *options_read(const Root *root) {
        return options_read_with(root, NULL);
}

Options *options_read_since(const Root *root, Options *before) {
        g_autofree char *line = before->stamps ? read_kernel_line(root) : NULL;

        if (!before->stamps || g_strcmp0(line, before->kernel_line) != 0 || !stamps_hold(before->stamps, root))
                return options_read(root);
        before->references++;
        return before;
}

void options_free(Options *options) {
        if (!options || --options->references > 0)
                return;
        g_clear_pointer(&options->index, g_hash_table_unref);
        g_clear_pointer(&options->stamps, stamps_free);
        g_free(options->kernel_line);
        g_ptr_array_unref(options->options);
        g_ptr_array_unref(options->commands);
        g_ptr_array_unref(options->bad);
        g_ptr_array_unref(options->stops);
        g_strfreev(options->masked);
        g_free(options);
}
