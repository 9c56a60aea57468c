/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the next load gets and from where. The reading of files is compared with the real modprobe;
 * what the kernel makes of a line, and what modprobe can't be asked (another kernel command line,
 * bounds), is written out. */

#include <string.h>
#include <sys/stat.h>

#include "options.h"
#include "tree.h"

#define FILE_A "etc/modprobe.d/a.conf"

/* "kvm_amd.nested=0@/etc/modprobe.d/a.conf:1 …" in the order of the kernel; a bare one has no
 * "=". */
static char *show(const Options *options) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < options->options->len; i++) {
                const Option *option = g_ptr_array_index(options->options, i);
                g_autofree char *source = option_source(option);

                g_string_append_printf(text, "%s%s.%s%s%s@%s", i > 0 ? " " : "", option->module, option->name,
                                       option->bare ? "" : "=", option->value, source);
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *show_bad(const Options *options) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < options->bad->len; i++) {
                const BadLine *bad = g_ptr_array_index(options->bad, i);

                g_assert_cmpstr(bad->why, !=, "");
                g_string_append_printf(text, "%s%s:%u", i > 0 ? " " : "", bad->path, bad->line);
        }
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_options(const Tree *tree, const char *expected) {
        g_autoptr(Options) options = options_read(tree->root);
        g_autofree char *found = show(options);

        g_assert_cmpstr(found, ==, expected);
}

static void assert_bad(const Tree *tree, const char *expected) {
        g_autoptr(Options) options = options_read(tree->root);
        g_autofree char *found = show_bad(options);

        g_assert_cmpstr(found, ==, expected);
}

/* One file of one line. */
static void test_lines(Tree *tree, gconstpointer data) {
#define AT "@/etc/modprobe.d/a.conf:1"
        static const struct {
                const char *text, *options;
        } cases[] = {
                        {"options kvm_amd nested=0\n", "kvm_amd.nested=0" AT},
                        {"options kvm-amd nested=0", "kvm_amd.nested=0" AT},
                        {"\t options \t kvm-amd \t nested=0 \t npt=1 \n", "kvm_amd.nested=0" AT " kvm_amd.npt=1" AT},
                        {"options kvm_amd nes\\\nted=0\n", "kvm_amd.nested=0" AT},
                        {"options kvm_amd \\\n  nested=0 \\\n npt=0\n", "kvm_amd.nested=0" AT " kvm_amd.npt=0" AT},
                        {"options kvm_amd enable-apicv=0\n", "kvm_amd.enable_apicv=0" AT},
                        {"options kvm_amd nested\n", "kvm_amd.nested" AT},
                        {"options kvm_amd nested=\n", "kvm_amd.nested=" AT},
                        {"options kvm_amd nested=\"0\"\n", "kvm_amd.nested=0" AT},
                        {"options kvm_amd \"nested=0\"\n", "kvm_amd.nested=0" AT},
                        {"options kvm_amd a=\"x y\" b=z\n", "kvm_amd.a=x y" AT " kvm_amd.b=z" AT},
                        {"options kvm_amd a=x\"y z\"w\n", "kvm_amd.a=x\"y z\"w" AT},
                        {"options kvm_amd a=\\\"x\\\"\n", "kvm_amd.a=x" AT},
                        {"options kvm_amd nested=0\r\n", "kvm_amd.nested=0" AT},
                        {"options kvm_amd nested=0 # comment=1\n",
                         "kvm_amd.nested=0" AT " kvm_amd.#" AT " kvm_amd.comment=1" AT},
                        {"options kvm_amd a=1=2\n", "kvm_amd.a=1=2" AT},
                        {"options kvm_amd =1\n", "kvm_amd.=1" AT},
                        {"options kvm_amd a=1 -- b=2\n", "kvm_amd.a=1" AT},
                        {"options kvm_amd a=1 --=0 b=2\n", "kvm_amd.a=1" AT " kvm_amd.__=0" AT " kvm_amd.b=2" AT},
                        {"options a[b-c]-d x=1\n", "a[b-c]_d.x=1" AT},
                        {"options kvm_amd nested=0\\", "kvm_amd.nested=0" AT},
                        {"#options kvm_amd nested=0\n", ""},
                        {"Options kvm_amd nested=0\n", ""},
                        {"options kvm_amd\n", ""},
                        {"options kvm_amd \n", ""},
                        {"options a] x=1\n", ""},
                        {"options a[ x=1\n", ""},
                        {"", ""},
                        {"\\", ""},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                tree_write(tree, FILE_A, cases[i].text);
                g_test_message("%s", cases[i].text);
                assert_options(tree, cases[i].options);
        }
}

/* The kernel gets the lines of one module as one text. */
static void test_lines_are_joined(Tree *tree, gconstpointer data) {
        tree_write(tree, FILE_A,
                   "options kvm_amd a=\"x\noptions kvm ignore_msrs=1\n\noptions kvm_amd y\" b=2\noptions kvm_amd --\n");
        tree_write(tree, "etc/modprobe.d/b.conf", "options kvm_amd c=3\noptions kvm c=3\n");
        assert_options(tree, "kvm_amd.a=x y@/etc/modprobe.d/a.conf:1 kvm_amd.b=2@/etc/modprobe.d/a.conf:4 "
                             "kvm.ignore_msrs=1@/etc/modprobe.d/a.conf:2 kvm.c=3@/etc/modprobe.d/b.conf:2");
}

static void test_line_numbers(Tree *tree, gconstpointer data) {
        tree_write(tree, FILE_A,
                   "# one\\\n# still one\n\noptions kvm_amd \\\n nested=0\noptions kvm_amd npt=0\nbogus\n");
        assert_options(tree, "kvm_amd.nested=0@/etc/modprobe.d/a.conf:4 kvm_amd.npt=0@/etc/modprobe.d/a.conf:6");
        assert_bad(tree, "/etc/modprobe.d/a.conf:7");
}

static void test_order_and_masks(Tree *tree, gconstpointer data) {
        g_autoptr(Options) options = NULL;
        g_autofree char *found = NULL;
        g_auto(GStrv) overridden = NULL;
        const Option *winner;

        tree_write(tree, "usr/lib/modprobe.d/99-vendor.conf", "options kvm_amd nested=1\n");
        tree_write(tree, "etc/modprobe.d/50-admin.conf", "options kvm-amd nested=0\n");
        tree_write(tree, "run/modprobe.d/masked.conf", "options kvm_amd nested=7\n");
        tree_write(tree, "lib/modprobe.d/masked.conf", "options kvm_amd nested=8\n");
        tree_link(tree, "etc/modprobe.d/masked.conf", "/dev/null");
        tree_write(tree, "usr/lib/modprobe.d/empty.conf", "options kvm_amd nested=9\n");
        tree_write(tree, "etc/modprobe.d/empty.conf", "");
        tree_write(tree, "usr/local/lib/modprobe.d/AA.conf", "options kvm_amd nested=2\n");
        tree_write(tree, "etc/modprobe.d/.hidden.conf", "options kvm_amd nested=3\n");
        tree_write(tree, "etc/modprobe.d/x.conf.bak", "options kvm_amd nested=4\n");
        tree_write(tree, "etc/modprobe.d/.zz-nestvirt.conf.new", "options kvm_amd nested=5\n");
        options = options_read(tree->root);
        found = show(options);
        g_assert_cmpstr(found, ==,
                        "kvm_amd.nested=0@/etc/modprobe.d/50-admin.conf:1 "
                        "kvm_amd.nested=1@/usr/lib/modprobe.d/99-vendor.conf:1 "
                        "kvm_amd.nested=2@/usr/local/lib/modprobe.d/AA.conf:1");
        winner = options_winner(options, "kvm_amd", "nested", &overridden);
        g_assert_cmpstr(winner->value, ==, "2");
        g_assert_true(g_strv_equal((const char *const *) overridden,
                                   (const char *const[]) {"/usr/lib/modprobe.d/99-vendor.conf:1",
                                                          "/etc/modprobe.d/50-admin.conf:1", NULL}));
        g_assert_true(g_strv_equal((const char *const *) options->masked,
                                   (const char *const[]) {"/run/modprobe.d/masked.conf",
                                                          "/usr/lib/modprobe.d/empty.conf",
                                                          "/lib/modprobe.d/masked.conf", NULL}));
        g_assert_null(options_winner(options, "kvm_amd", "npt", NULL));
        g_assert_cmpuint(options->bad->len, ==, 0);
}

/* /lib is /usr/lib on most systems: nothing is read twice or masked by itself. */
static void test_merged_usr(Tree *tree, gconstpointer data) {
        g_autoptr(Options) options = NULL;

        tree_write(tree, "usr/lib/modprobe.d/a.conf", "options kvm_amd nested=1\n");
        tree_link(tree, "lib", "usr/lib");
        assert_options(tree, "kvm_amd.nested=1@/usr/lib/modprobe.d/a.conf:1");
        options = options_read(tree->root);
        g_assert_cmpuint(g_strv_length(options->masked), ==, 0);
}

static void test_kernel_line(Tree *tree, gconstpointer data) {
#define LINE "@kernel command line"
        static const struct {
                const char *text, *options;
        } cases[] = {
                        {"quiet kvm_amd.nested=0 ro\n", "kvm_amd.nested=0" LINE},
                        {"kvm-amd.nested=0", "kvm_amd.nested=0" LINE},
                        {"kvm_amd.nested", "kvm_amd.nested" LINE},
                        {"kvm.a=1.5 kvm.b=x=y", "kvm.a=1.5" LINE " kvm.b=x=y" LINE},
                        {"kvm.a=\"x y\" kvm.b=1", "kvm.a=x y" LINE " kvm.b=1" LINE},
                        {"\"kvm.a=x y\" kvm.b=1", "kvm.a=x y" LINE " kvm.b=1" LINE},
                        {"kvm.a.b=1 k=kvm.c=2 kvm\"x\".d=1 \"kvm.e\" kvm.f\"g\"=1", ""},
                        {"\"kvm x\".a=1 kvm.b=2", "kvm.b=2" LINE},
                        {"kvm.a=1 kvm.b=\"x", "kvm.a=1" LINE},
                        {"kvm.a=1 -- kvm.b=2", "kvm.a=1" LINE " kvm.b=2" LINE},
                        {"a].b=1 c[.d=1", ""},
                        {"", ""},
                        {"\n", ""},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                tree_write(tree, "proc/cmdline", cases[i].text);
                g_test_message("%s", cases[i].text);
                assert_options(tree, cases[i].options);
        }
        tree_write(tree, "etc/modprobe.d/zz.conf", "options kvm_amd nested=1\n");
        tree_write(tree, "proc/cmdline", "kvm-amd.nested=0\n");
        assert_options(tree, "kvm_amd.nested=1@/etc/modprobe.d/zz.conf:1 kvm_amd.nested=0" LINE);
}

static void test_commands(Tree *tree, gconstpointer data) {
        g_autoptr(Options) options = NULL;
        const Command *command;

        tree_write(tree, FILE_A,
                   "install kvm-a* /bin/false\nblacklist kvm-intel\nremove kvm_amd /sbin/rmmod \\\n kvm_amd\n"
                   "blacklist kvm*\nalias cpu:type:x86 kvm_amd\nsoftdep kvm pre: irqbypass\nweakdep kvm x\n");
        tree_write(tree, "proc/cmdline", "modprobe.blacklist=ccp,kvm-x modprobe.blacklist=y\n");
        options = options_read(tree->root);
        command = options_command(options, "install", "kvm_amd");
        g_assert_cmpstr(command->module, ==, "kvm_a*");
        g_assert_cmpstr(command->path, ==, "/etc/modprobe.d/a.conf");
        g_assert_cmpuint(command->line, ==, 1);
        g_assert_null(options_command(options, "install", "kvm"));
        g_assert_cmpuint(options_command(options, "remove", "kvm_amd")->line, ==, 3);
        g_assert_cmpuint(options_command(options, "blacklist", "kvm_intel")->line, ==, 2);
        g_assert_null(options_command(options, "blacklist", "kvm_amd"));
        g_assert_null(options_command(options, "blacklist", "ccp")->path);
        g_assert_nonnull(options_command(options, "blacklist", "y"));
        g_assert_null(options_command(options, "blacklist", "kvm_x"));
        g_assert_cmpuint(options->bad->len, ==, 0);
        g_assert_cmpuint(options->options->len, ==, 0);
}

static void test_bad_lines(Tree *tree, gconstpointer data) {
        tree_write(tree, FILE_A,
                   "options\ninstall kvm\nremove kvm \nblacklist\nalias x\nsoftdep kvm\ninclude /x\n  # x\n\xff\x01 "
                   "y\n");
        assert_bad(tree, "/etc/modprobe.d/a.conf:1 /etc/modprobe.d/a.conf:2 /etc/modprobe.d/a.conf:3 "
                         "/etc/modprobe.d/a.conf:4 /etc/modprobe.d/a.conf:5 /etc/modprobe.d/a.conf:6 "
                         "/etc/modprobe.d/a.conf:7 /etc/modprobe.d/a.conf:8 /etc/modprobe.d/a.conf:9");
        tree_write(tree, FILE_A, "options kvm_amd nested=1 \\\n\noptions kvm_amd npt=1\\");
        assert_bad(tree, "/etc/modprobe.d/a.conf:3");
}

static void fill(const Tree *tree, const char *path, const char *head, char c, size_t size, const char *tail) {
        g_autoptr(GString) text = g_string_new(head);

        g_string_set_size(text, strlen(head) + size);
        memset(text->str + strlen(head), c, size);
        g_string_append(text, tail);
        tree_write_bytes(tree, path, text->str, text->len);
}

/* Of everything that is not meant, something is said, and nothing of the other lines and files is
 * lost. */
static void test_garbage_is_bounded(Tree *tree, gconstpointer data) {
        g_autofree char *fifo = tree_path(tree, "etc/modprobe.d/e.conf"), *found = NULL, *bad = NULL;
        g_autoptr(GString) many = g_string_new(NULL);
        g_autoptr(Options) options = NULL;

        fill(tree, "etc/modprobe.d/a.conf", "options kvm_amd a=1\noptions kvm_amd b=", 'x', 1000 * 1000,
             "\noptions kvm_amd c=1\n");
        fill(tree, "etc/modprobe.d/b.conf", "options kvm_amd d=1\n", '\n', 10 * 1000 * 1000, "");
        tree_write_bytes(tree, "etc/modprobe.d/c.conf", "options kvm_amd e=1\0f=1\noptions kvm_amd g=1\n", 44);
        tree_folder(tree, "etc/modprobe.d/d.conf");
        g_assert_cmpint(mkfifo(fifo, 0644), ==, 0);
        tree_link(tree, "etc/modprobe.d/f.conf", "nowhere");
        tree_link(tree, "etc/modprobe.d/g.conf", "g.conf");
        for (unsigned i = 0; i < 100000; i++)
                g_string_append(many, "options a b\n");
        tree_write_bytes(tree, "etc/modprobe.d/h.conf", many->str, 1000 * 1000);
        tree_write(tree, "usr/lib/modprobe.d/d.conf", "options kvm_amd h=1\n");
        tree_write(tree, "etc/modprobe.d/z\xff.conf", "options kvm_amd i=1\n");
        options = options_read(tree->root);
        bad = show_bad(options);
        g_assert_cmpstr(bad, ==,
                        "/etc/modprobe.d/d.conf:0 /etc/modprobe.d/e.conf:0 /etc/modprobe.d/f.conf:0 "
                        "/etc/modprobe.d/g.conf:0 "
                        "/etc/modprobe.d/a.conf:2 /etc/modprobe.d/b.conf:0 /etc/modprobe.d/c.conf:0 "
                        "/etc/modprobe.d/h.conf:16385");
        g_assert_cmpuint(options->options->len, ==, 16384 + 6);
        found = show(options);
        g_assert_true(g_str_has_prefix(found,
                                       "kvm_amd.a=1@/etc/modprobe.d/a.conf:1 kvm_amd.c=1@/etc/modprobe.d/a.conf:3 "
                                       "kvm_amd.e=1@/etc/modprobe.d/c.conf:1 kvm_amd.g=1@/etc/modprobe.d/c.conf:2 "
                                       "kvm_amd.h=1@/usr/lib/modprobe.d/d.conf:1 "
                                       "kvm_amd.i=1@/etc/modprobe.d/z\xef\xbf\xbd.conf:1 a.b@"));
}

static void test_nothing_there(Tree *tree, gconstpointer data) {
        g_autoptr(Options) options = options_read(tree->root);

        g_assert_cmpuint(options->options->len + options->commands->len + options->bad->len, ==, 0);
        g_assert_cmpuint(g_strv_length(options->masked), ==, 0);
}

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
        g_assert_cmpuint(ours->commands->len, ==, theirs->commands->len);
        for (unsigned v = 0, at = 0; v < G_N_ELEMENTS(verbs); v++)
                for (unsigned i = 0; i < ours->commands->len; i++) {
                        const Command *a = g_ptr_array_index(ours->commands, i), *b;

                        if (!g_str_equal(a->verb, verbs[v]))
                                continue;
                        b = g_ptr_array_index(theirs->commands, at++);
                        g_assert_cmpstr(a->verb, ==, b->verb);
                        assert_same_text(a->module, b->module);
                }
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
        static const struct {
                const char *name;
                void (*run)(Tree *tree, gconstpointer data);
        } tests[] = {
                        {"lines", test_lines},
                        {"lines-are-joined", test_lines_are_joined},
                        {"line-numbers", test_line_numbers},
                        {"order-and-masks", test_order_and_masks},
                        {"merged-usr", test_merged_usr},
                        {"kernel-line", test_kernel_line},
                        {"commands", test_commands},
                        {"bad-lines", test_bad_lines},
                        {"garbage-is-bounded", test_garbage_is_bounded},
                        {"nothing-there", test_nothing_there},
                        {"as-modprobe-does", test_as_modprobe_does},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/options/", tests[i].name, NULL);

                g_test_add(path, Tree, NULL, tree_set_up, tests[i].run, tree_tear_down);
        }
        return g_test_run();
}
