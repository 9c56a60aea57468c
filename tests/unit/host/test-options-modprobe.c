/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reading of modprobe.d, compared with the real modprobe over random files. */

#include <string.h>

#include "options.h"
#include "tree.h"

#define FILE_A "etc/modprobe.d/a.conf"

/* What modprobe says it has read, as far as we read it, too. */
static char *ask_modprobe(const Tree *tree) {
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GString) ours = g_string_new(NULL);
        g_auto(GStrv) lines = NULL;
        g_autofree char *output = NULL;
        g_autoptr(GError) error = NULL;

        g_ptr_array_add(arguments, g_strdup(g_getenv("MODPROBE")));
        g_ptr_array_add(arguments, g_strdup("--showconfig"));
        for (const char *const *folder = options_folders; *folder; folder++) {
                g_ptr_array_add(arguments, g_strdup("-C"));
                g_ptr_array_add(arguments, tree_path(tree, *folder));
        }
        g_ptr_array_add(arguments, NULL);
        g_spawn_sync(NULL, (char **) arguments->pdata, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                     NULL, &error);
        g_assert_no_error(error);
        g_assert_nonnull(strstr(output, "# End of configuration files"));
        *strstr(output, "# End of configuration files") = 0;
        lines = g_strsplit(output, "\n", -1);
        for (char **line = lines; *line; line++)
                if (!g_str_has_prefix(*line, "softdep ") && !g_str_has_prefix(*line, "alias "))
                        g_string_append_printf(ours, "%s\n", *line);
        return g_string_free(g_steal_pointer(&ours), FALSE);
}

/* Backslashes that modprobe prints are what it has left of escapes: in a file they would be some
 * again. */
static void assert_same_text(const char *ours, const char *theirs) {
        g_autofree char *plain = g_strdelimit(g_strdup(ours), "\\", '/');

        g_assert_cmpstr(plain, ==, theirs);
}

/* modprobe's own words as one file: read back, they must say what the files that they were made of
 * say. Its order is by verb. */
static void compare(const Tree *tree, const Tree *again) {
        g_autofree char *output = ask_modprobe(tree);
        g_autoptr(Options) ours = options_read(tree->root), theirs = NULL;
        static const char *const verbs[] = {"blacklist", "install", "remove"};

        g_strdelimit(output, "\\", '/');
        tree_write(again, FILE_A, output);
        theirs = options_read(again->root);
        g_assert_cmpuint(theirs->bad->len, ==, 0);
        g_assert_cmpuint(ours->options->len, ==, theirs->options->len);
        for (unsigned i = 0; i < ours->options->len; i++) {
                const Option *a = g_ptr_array_index(ours->options, i), *b = g_ptr_array_index(theirs->options, i);

                assert_same_text(a->module, b->module);
                assert_same_text(a->name, b->name);
                assert_same_text(a->value, b->value);
                g_assert_true(a->bare == b->bare);
        }
        unsigned at = 0;
        for (unsigned v = 0; v < G_N_ELEMENTS(verbs); v++)
                for (unsigned i = 0; i < ours->commands->len; i++) {
                        const Command *a = g_ptr_array_index(ours->commands, i), *b;

                        if (!g_str_equal(a->verb, verbs[v]))
                                continue;
                        g_assert_cmpuint(at, <, theirs->commands->len);
                        b = g_ptr_array_index(theirs->commands, at++);
                        g_assert_cmpstr(a->verb, ==, b->verb);
                        assert_same_text(a->module, b->module);
                }
        g_assert_cmpuint(at, ==, theirs->commands->len);
}

static char *make_text(GRand *random) {
        static const char *const pieces[] = {
                        "options ",  "options ",    "options ",  "kvm-amd ",
                        "kvm_amd ",  "kvm ",        "a[b-c]-d ", "nested=0 ",
                        "npt=\"1\"", " x=\"y z\" ", "--",        "\n",
                        "\n",        "\n",          "\\\n",      "\\",
                        "\"",        "#",           "\t",        " ",
                        "=",         "install ",    "remove ",   "blacklist ",
                        "alias ",    "softdep ",    "]",         "[",
                        "-",         "\r",          "bogus",     "options kvm-amd nested=0\n",
        };
        g_autoptr(GString) text = g_string_new(NULL);

        for (int n = g_rand_int_range(random, 0, 60); n > 0; n--)
                g_string_append(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
        /* kmod 30 and 34 differ in what a backslash at the very end is. */
        g_string_append(text, " \n");
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void test_as_modprobe_does(Tree *tree, gconstpointer data) {
        static const char *const names[] = {"a.conf",   "b.conf",  "B.conf",     "10-x.conf",
                                            "9-x.conf", ".d.conf", "x.conf.bak", "-.conf"};
        g_autoptr(GRand) random = g_rand_new_with_seed((guint32) g_test_rand_int());
        g_autofree char *line = NULL;
        Tree again;

        g_assert_nonnull(g_getenv("MODPROBE"));
        g_assert_true(g_file_get_contents("/proc/cmdline", &line, NULL, NULL));
        tree_write(tree, "proc/cmdline", line);
        tree_set_up(&again, NULL);
        for (unsigned round = 0; round < 60; round++) {
                for (const char *const *folder = options_folders; *folder; folder++)
                        for (int n = g_rand_int_range(random, 0, 3); n > 0; n--) {
                                g_autofree char *text = make_text(random);
                                g_autofree char *path = g_build_filename(
                                                *folder, names[g_rand_int_range(random, 0, G_N_ELEMENTS(names))], NULL);

                                tree_write(tree, path, text);
                        }
                compare(tree, &again);
        }
        tree_tear_down(&again, NULL);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/options-modprobe/as-modprobe-does", Tree, NULL, tree_set_up, test_as_modprobe_does,
                   tree_tear_down);
        return g_test_run();
}
