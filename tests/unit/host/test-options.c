/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the next load gets and from where, written out: what the kernel makes of a line, and what
 * modprobe can't be asked (another kernel command line, bounds). */

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

                g_assert_true(*bad->why && g_str_is_ascii(bad->why));
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
        tree_write(tree, "proc/cmdline",
                   "modprobe.blacklist=ccp,kvm-x module_blacklist=kvm module-blacklist=kvm_amd,kvm-intel "
                   "modprobe.blacklist=y\n");
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
        /* The kernel's own list: the last one, and no dashes but in its own name. */
        g_assert_nonnull(options_command(options, "module_blacklist", "kvm_amd"));
        g_assert_null(options_command(options, "module_blacklist", "kvm"));
        g_assert_null(options_command(options, "module_blacklist", "kvm_intel"));
        g_assert_cmpuint(options->bad->len, ==, 0);
        g_assert_cmpuint(options->options->len, ==, 0);
}

static void test_bad_lines(Tree *tree, gconstpointer data) {
        tree_write(tree, FILE_A,
                   "options\ninstall kvm\nremove kvm \nblacklist\nalias x\nsoftdep kvm\ninclude /x\n  # "
                   "x\n\xff\xc2\x9b "
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

/* As libkmod before 33 and since then has it. */
static void test_manners(Tree *tree, gconstpointer data) {
        static const struct {
                ConfManner manner;
                const char *options, *bad, *masked;
        } rows[] = {
                        {CONF_SINCE_33, "kvm_amd.nested=1@/usr/lib/modprobe.d/x.conf:1", "/etc/modprobe.d/x.conf:0",
                         ""},
                        {CONF_BEFORE_33, "kvm_amd.npt=0@/etc/modprobe.d/kvm.alias:2", "/etc/modprobe.d/x.conf:0",
                         "/usr/lib/modprobe.d/x.conf /lib/modprobe.d/kvm.alias"},
        };

        tree_link(tree, "etc/modprobe.d/x.conf", "../nowhere");
        tree_write(tree, "etc/modprobe.d/kvm.alias", "\noptions kvm_amd npt=0\n");
        tree_write(tree, "etc/modprobe.d/.alias", "options kvm_amd avic=0\n");
        tree_write(tree, "usr/lib/modprobe.d/x.conf", "options kvm_amd nested=1\n");
        tree_write(tree, "lib/modprobe.d/kvm.alias", "options kvm_amd vgif=0\n");
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                conf_follow(rows[i].manner);
                g_autoptr(Options) options = options_read(tree->root);
                g_autofree char *masked = g_strjoinv(" ", options->masked);
                g_assert_cmpstr(masked, ==, rows[i].masked);
                assert_options(tree, rows[i].options);
                assert_bad(tree, rows[i].bad);
        }
        conf_follow(CONF_SINCE_33);
}

static void test_nothing_there(Tree *tree, gconstpointer data) {
        g_autoptr(Options) options = options_read(tree->root);

        g_assert_cmpuint(options->options->len + options->commands->len + options->bad->len, ==, 0);
        g_assert_cmpuint(g_strv_length(options->masked), ==, 0);
}

/* As it would be with other files, one of them in a folder that is not there; and where the kernel
 * stops reading. */
static void test_with_other_texts(Tree *tree, gconstpointer data) {
        g_autoptr(GHashTable) instead = g_hash_table_new(g_str_hash, g_str_equal);
        g_autofree char *found = NULL;

        tree_write(tree, "etc/modprobe.d/a.conf", "options kvm_amd a=1\n");
        tree_write(tree, "etc/modprobe.d/b.conf", "options kvm_amd b=1\n");
        tree_write(tree, "usr/lib/modprobe.d/c.conf", "options kvm_amd c=1\n");
        tree_write(tree, "usr/lib/modprobe.d/e.conf", "options kvm_amd -- e=1\n");
        g_hash_table_insert(instead, (gpointer) "etc/modprobe.d/a.conf", (gpointer) "options kvm_amd a=2\n");
        g_hash_table_insert(instead, (gpointer) "etc/modprobe.d/b.conf", NULL);
        g_hash_table_insert(instead, (gpointer) "run/modprobe.d/c.conf", (gpointer) "#\noptions kvm_amd c=2\n");
        g_autoptr(Options) options = options_read_with(tree->root, instead);
        found = show(options);
        g_assert_cmpstr(found, ==, "kvm_amd.a=2@/etc/modprobe.d/a.conf:1 kvm_amd.c=2@/run/modprobe.d/c.conf:2");
        g_assert_cmpuint(g_strv_length(options->masked), ==, 1);
        g_assert_cmpstr(options->masked[0], ==, "/usr/lib/modprobe.d/c.conf");
        g_assert_cmpuint(options->stops->len, ==, 1);
        const Option *stop = g_ptr_array_index(options->stops, 0);
        g_assert_cmpstr(stop->path, ==, "/usr/lib/modprobe.d/e.conf");
        g_assert_cmpuint(stop->line, ==, 1);
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
                        {"manners", test_manners},
                        {"nothing-there", test_nothing_there},
                        {"with-other-texts", test_with_other_texts},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/options/", tests[i].name, NULL);

                g_test_add(path, Tree, NULL, tree_set_up, tests[i].run, tree_tear_down);
        }
        return g_test_run();
}
