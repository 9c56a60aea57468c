/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two files of modprobe.d, the parts of the input. What the reader makes of them must be what
 * libkmod makes of them, line by line, but for what libkmod itself reads wrongly; and what is said
 * of a line is said of one that there is. */

#include <libkmod.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "options.h"
#include "syntax.h"

#define FIRST "etc/modprobe.d/a.conf"
#define SECOND "usr/lib/modprobe.d/b.conf"

typedef struct kmod_config_iter *(*KmodList)(const struct kmod_ctx *context);

static struct kmod_ctx *read_as_modprobe(void) {
        g_autofree char *first = root_absolute(fuzz_root(), "etc/modprobe.d"),
                        *second = root_absolute(fuzz_root(), "usr/lib/modprobe.d");
        const char *folders[] = {first, second, NULL};

        (void) setenv("KMOD_LOG", "0", 1);
        struct kmod_ctx *context = kmod_new(NULL, folders);
        g_assert_nonnull(context);
        return context;
}

/* How many lines of a kind the machine's own kernel command line has: they come last. */
static unsigned count(const struct kmod_ctx *context, KmodList list) {
        struct kmod_config_iter *iter = list(context);
        unsigned n = 0;

        while (kmod_config_iter_next(iter))
                n++;
        kmod_config_iter_free_iter(iter);
        return n;
}

static unsigned own(KmodList list) {
        static const char *const none[] = {NULL};
        struct kmod_ctx *context = kmod_new(NULL, none);
        const unsigned n = count(context, list);

        kmod_unref(context);
        return n;
}

static void compare_commands(const struct kmod_ctx *context, const Options *options, const char *verb, KmodList list) {
        unsigned left = count(context, list) - own(list), i = 0;
        struct kmod_config_iter *iter = list(context);

        for (; left > 0 && kmod_config_iter_next(iter); left--) {
                g_autofree char *module = g_utf8_make_valid(kmod_config_iter_get_key(iter), -1);
                const Command *command = NULL;
                while (i < options->commands->len && !command) {
                        command = g_ptr_array_index(options->commands, i++);
                        if (!g_str_equal(command->verb, verb))
                                command = NULL;
                }
                g_assert_nonnull(command);
                g_assert_cmpstr(command->module, ==, module);
        }
        kmod_config_iter_free_iter(iter);
        for (; i < options->commands->len; i++)
                g_assert_cmpstr(((const Command *) g_ptr_array_index(options->commands, i))->verb, !=, verb);
}

/* module -> its options in one text, as the kernel gets it; in @order their first appearance. */
static GHashTable *join(const struct kmod_ctx *context, GPtrArray *order) {
        GHashTable *modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        unsigned left = count(context, kmod_config_get_options) - own(kmod_config_get_options);
        struct kmod_config_iter *iter = kmod_config_get_options(context);

        for (; left > 0 && kmod_config_iter_next(iter); left--) {
                const char *module = kmod_config_iter_get_key(iter), *text = kmod_config_iter_get_value(iter);
                const char *before = g_hash_table_lookup(modules, module);
                if (!before)
                        g_ptr_array_add(order, g_strdup(module));
                g_hash_table_insert(modules, g_strdup(module),
                                    before ? g_strconcat(before, " ", text, NULL) : g_strdup(text));
        }
        kmod_config_iter_free_iter(iter);
        return modules;
}

static void compare_options(const struct kmod_ctx *context, const Options *options) {
        g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GHashTable) modules = join(context, order);
        unsigned n = 0;

        for (unsigned i = 0; i < order->len; i++) {
                const char *module = g_ptr_array_index(order, i);
                g_autofree char *shown = g_utf8_make_valid(module, -1);
                char *rest = g_hash_table_lookup(modules, module), *name, *value;
                while ((name = syntax_take_parameter(&rest, &value))) {
                        g_autofree char *valid = g_utf8_make_valid(name, -1), *is = g_utf8_make_valid(value ?: "", -1);
                        g_assert_cmpuint(n, <, options->options->len);
                        const Option *option = g_ptr_array_index(options->options, n++);
                        g_assert_cmpstr(option->module, ==, shown);
                        g_assert_cmpstr(option->name, ==, g_strdelimit(valid, "-", '_'));
                        g_assert_cmpstr(option->value, ==, is);
                        g_assert_true(option->bare == !value);
                }
        }
        g_assert_cmpuint(n, ==, options->options->len);
}

typedef struct File {
        char *text;
        size_t size;
} File;

static void check_place(const char *path, unsigned line, const File files[2]) {
        const bool first = g_str_equal(path, "/" FIRST);

        g_assert_true(first || g_str_equal(path, "/" SECOND));
        fuzz_assert_line_of(line, files[!first].text, files[!first].size);
}

static void check_places(const Options *options, const File files[2]) {
        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *option = g_ptr_array_index(options->options, i);
                check_place(option->path, option->line, files);
                g_assert_cmpuint(option->line, >, 0);
        }
        for (unsigned i = 0; i < options->commands->len; i++) {
                const Command *command = g_ptr_array_index(options->commands, i);
                check_place(command->path, command->line, files);
        }
        for (unsigned i = 0; i < options->bad->len; i++) {
                const BadLine *bad = g_ptr_array_index(options->bad, i);
                check_place(bad->path, bad->line, files);
                fuzz_assert_line(bad->why);
        }
}

/* libkmod ends a line at a NUL byte and goes on after it as ours do, but sees no end of a file that
 * ends in a backslash. */
static bool is_read_wrongly(const File *file) {
        SyntaxCursor cursor = {.at = file->text, .end = file->text + file->size};

        for (char *line; (line = syntax_next_line(&cursor));)
                g_free(line);
        return cursor.cut || memchr(file->text, 0, file->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        File files[2];

        files[0].text = fuzz_take(&data, &size, &files[0].size);
        files[1].text = fuzz_take_rest(&data, &size, &files[1].size);
        fuzz_write(FIRST, files[0].text, files[0].size);
        fuzz_write(SECOND, files[1].text, files[1].size);
        g_autoptr(Options) options = options_read(fuzz_root());
        check_places(options, files);
        if (!is_read_wrongly(&files[0]) && !is_read_wrongly(&files[1])) {
                struct kmod_ctx *context = read_as_modprobe();
                compare_options(context, options);
                compare_commands(context, options, "blacklist", kmod_config_get_blacklists);
                compare_commands(context, options, "install", kmod_config_get_install_commands);
                compare_commands(context, options, "remove", kmod_config_get_remove_commands);
                kmod_unref(context);
        }
        g_free(files[0].text);
        g_free(files[1].text);
        return 0;
}
