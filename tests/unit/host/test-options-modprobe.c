/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reading of modprobe.d and of the kernel command line, compared with the machine's libkmod
 * over random trees: two hundred, or as many as NESTVIRT_TREES says, from the seed NESTVIRT_SEED
 * on. */

/* Names of their own for what takes 64 bits. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#define _LARGEFILE64_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"
#include "modprobe-tree.h"
#include "options.h"
#include "syntax.h"

static const char *const looked_at[] = {"kvm", "kvm_amd", "kvm_intel"};

/* What libkmod finds in the place of /proc/cmdline, of which it lets nobody choose the path. */
static char *kernel_line;

static int open_other(const char *path, int flags, mode_t mode) {
        return openat(AT_FDCWD, kernel_line && g_str_equal(path, "/proc/cmdline") ? kernel_line : path, flags, mode);
}

static mode_t take_mode(va_list arguments, int flags) {
        return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

/* libkmod's calls come here, as they are looked for in the program first. */
int open(const char *path, int flags, ...) {
        va_list arguments;

        va_start(arguments, flags);
        const mode_t mode = take_mode(arguments, flags);
        va_end(arguments);
        return open_other(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
        va_list arguments;

        va_start(arguments, flags);
        const mode_t mode = take_mode(arguments, flags);
        va_end(arguments);
        return open_other(path, flags | O_LARGEFILE, mode);
}

static struct kmod_ctx *read_as_modprobe(const Tree *tree) {
        g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
        /* The folder of modules, which has softdep lines of its own. */
        g_autofree char *nowhere = tree_path(tree, "modules");

        for (const char *const *folder = options_folders; *folder; folder++)
                g_ptr_array_add(folders, tree_path(tree, *folder));
        g_ptr_array_add(folders, NULL);
        kernel_line = tree_path(tree, MODPROBE_TREE_CMDLINE);
        struct kmod_ctx *context = kmod_new(nowhere, (const char *const *) folders->pdata);
        g_clear_pointer(&kernel_line, g_free);
        g_assert_nonnull(context);
        return context;
}

static void say_option(GString *text, const char *module, const char *name, const char *value) {
        g_autofree char *plain = g_strdelimit(g_strdup(name), "-", '_');

        g_string_append_printf(text, "options %s %s%s%s\n", module, plain, value ? "=" : "", value ?: "");
}

static void say_command(GString *text, const char *verb, const char *module, const char *command) {
        g_autofree char *plain = command ? g_strstrip(g_strdup(command)) : NULL;

        g_string_append_printf(text, "%s %s %s\n", verb, module, plain ?: "-");
}

/* The lines of each module are one text, in the order in which the modules come first. */
static void say_their_options(GString *text, const struct kmod_ctx *context) {
        g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GHashTable) joined = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        struct kmod_config_iter *iter = kmod_config_get_options(context);

        while (kmod_config_iter_next(iter)) {
                const char *module = kmod_config_iter_get_key(iter), *line = kmod_config_iter_get_value(iter);
                const char *before = g_hash_table_lookup(joined, module);
                /* ".x=1" on the kernel command line, of a module that has no name. */
                if (!*module)
                        continue;
                if (!before)
                        g_ptr_array_add(order, g_strdup(module));
                g_hash_table_insert(joined, g_strdup(module),
                                    before ? g_strconcat(before, " ", line, NULL) : g_strdup(line));
        }
        kmod_config_iter_free_iter(iter);
        for (unsigned i = 0; i < order->len; i++) {
                const char *module = g_ptr_array_index(order, i);
                char *rest = g_hash_table_lookup(joined, module), *name, *value;
                while ((name = syntax_take_parameter(&rest, &value)))
                        say_option(text, module, name, value);
        }
}

/* @only: those with that value alone, or NULL. */
static void say_their_list(GString *text, struct kmod_config_iter *iter, const char *verb, const char *only) {
        while (kmod_config_iter_next(iter))
                if (!only || g_strcmp0(kmod_config_iter_get_value(iter), only) == 0)
                        say_command(text, verb, kmod_config_iter_get_key(iter), "");
        kmod_config_iter_free_iter(iter);
}

static char *say_theirs(struct kmod_ctx *context) {
        GString *text = g_string_new(NULL);

        say_their_options(text, context);
        say_their_list(text, kmod_config_get_blacklists(context), "blacklist", NULL);
        say_their_list(text, kmod_config_get_softdeps(context), "softdep", NULL);
        say_their_list(text, kmod_config_get_aliases(context), "alias", "off");
        for (unsigned i = 0; i < G_N_ELEMENTS(looked_at); i++) {
                struct kmod_module *module = NULL;
                g_assert_cmpint(kmod_module_new_from_name(context, looked_at[i], &module), ==, 0);
                say_command(text, "install", looked_at[i], kmod_module_get_install_commands(module));
                say_command(text, "remove", looked_at[i], kmod_module_get_remove_commands(module));
                kmod_module_unref(module);
        }
        return g_string_free(text, FALSE);
}

static char *say_ours(const Options *options) {
        static const char *const lists[] = {"blacklist", "softdep", "alias"}, *const commands[] = {"install", "remove"};
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *o = g_ptr_array_index(options->options, i);
                say_option(text, o->module, o->name, o->bare ? NULL : o->value);
        }
        for (unsigned l = 0; l < G_N_ELEMENTS(lists); l++)
                for (unsigned i = 0; i < options->commands->len; i++) {
                        const Command *c = g_ptr_array_index(options->commands, i);
                        if (g_str_equal(c->verb, lists[l]))
                                say_command(text, c->verb, c->module, "");
                }
        for (unsigned i = 0; i < G_N_ELEMENTS(looked_at); i++)
                for (unsigned c = 0; c < G_N_ELEMENTS(commands); c++) {
                        const Command *command = options_command(options, commands[c], looked_at[i]);
                        say_command(text, commands[c], looked_at[i], command ? command->text : NULL);
                }
        return g_string_free(text, FALSE);
}

/* Returns how many were looked at. */
static unsigned assert_places(const Options *options, GHashTable *places) {
        unsigned n = 0;

        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *o = g_ptr_array_index(options->options, i);
                const char *place = g_hash_table_lookup(places, o->value);
                g_autofree char *source = option_source(o);
                if (!place)
                        continue;
                g_assert_cmpstr(source, ==, place);
                n++;
        }
        return n;
}

static unsigned compare(guint32 seed) {
        g_autoptr(GHashTable) places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        Tree tree = {};

        tree_set_up(&tree, NULL);
        modprobe_tree_make(&tree, seed, places);
        struct kmod_ctx *context = read_as_modprobe(&tree);
        g_autoptr(Options) options = options_read(tree.root);
        g_autofree char *theirs = say_theirs(context), *ours = say_ours(options);
        if (!g_str_equal(theirs, ours))
                g_test_message("seed %u", seed);
        g_assert_cmpstr(ours, ==, theirs);
        const unsigned n = assert_places(options, places);
        kmod_unref(context);
        tree_tear_down(&tree, NULL);
        return n;
}

static guint64 read_number(const char *name, guint64 otherwise) {
        const char *text = g_getenv(name);

        return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

/* It does not tell its version but by its file's name, libkmod.so.2.4.0 of kmod 30. */
static char *find_library(void) {
        Dl_info found = {};

        g_assert_cmpint(dladdr(dlsym(RTLD_DEFAULT, "kmod_new"), &found), !=, 0);
        g_autofree char *path = realpath(found.dli_fname, NULL);
        return path ? g_path_get_basename(path) : NULL;
}

static char *ask_version(void) {
        const char *arguments[] = {g_getenv("MODPROBE"), "--version", NULL};
        char *output = NULL;
        g_autoptr(GError) error = NULL;

        g_spawn_sync(NULL, (char **) arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, NULL, &error);
        g_assert_no_error(error);
        output[strcspn(output, "\n")] = 0;
        return output;
}

static void test_as_libkmod_does(void) {
        const guint64 trees = read_number("NESTVIRT_TREES", 200), first = read_number("NESTVIRT_SEED", 1);
        g_autofree char *library = find_library(), *version = ask_version();
        unsigned n = 0;

        (void) setenv("KMOD_LOG", "0", 1);
        conf_follow(loader_kmod_is_before_33() ? CONF_BEFORE_33 : CONF_SINCE_33);
        for (guint64 i = 0; i < trees; i++)
                n += compare((guint32) (first + i));
        g_test_message("%s (%s): %" G_GUINT64_FORMAT " trees from seed %" G_GUINT64_FORMAT
                       ", the places of %u values, no difference",
                       version, library, trees, first, n);
        g_assert_cmpuint(n, >, trees);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/options-modprobe/as-libkmod-does", test_as_libkmod_does);
        return g_test_run();
}
