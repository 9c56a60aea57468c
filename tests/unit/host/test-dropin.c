/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our own file: what it says is what modprobe's rules make of it, what others wrote stays, and what
 * is written is read back. */

#include <string.h>

#include "dropin.h"
#include "options.h"
#include "tree.h"

#define HEADER                                                                   \
        "# Written by nestvirtd: what was set with nestvirtctl or over D-Bus.\n" \
        "# \"nestvirtctl reset\" takes it all back and removes this file.\n"

static void assert_render(const Dropin *dropin, const char *expected) {
        g_autofree char *text = dropin_render(dropin);

        g_assert_cmpstr(text, ==, expected);
}

static void test_new_file(void) {
        g_autoptr(Dropin) dropin = dropin_parse(""), again = NULL;
        g_autofree char *text = NULL;

        assert_render(dropin, NULL);
        g_assert_null(dropin_get(dropin, "kvm_amd", "nested"));
        dropin_set(dropin, "kvm_amd", "npt", "1");
        dropin_set(dropin, "kvm_amd", "nested", "1");
        dropin_set(dropin, "kvm", "ignore_msrs", "1");
        dropin_set(dropin, "kvm_amd", "nested", "0");
        g_assert_cmpstr(dropin_get(dropin, "kvm_amd", "nested"), ==, "0");
        assert_render(dropin, HEADER "options kvm ignore_msrs=1\noptions kvm_amd nested=0 npt=1\n");
        text = dropin_render(dropin);
        again = dropin_parse(text);
        assert_render(again, text);
        dropin_set(again, "kvm_amd", "nested", "1");
        dropin_set(again, "kvm_amd", "nested", "0");
        assert_render(again, text);
}

static void test_unset(void) {
        g_autoptr(Dropin) dropin = dropin_parse(HEADER "options kvm_amd nested=0 npt=1\n");
        g_auto(GStrv) names = dropin_names(dropin, "kvm_amd"), none = dropin_names(dropin, "kvm");

        g_assert_true(g_strv_equal((const char *const *) names, (const char *const[]) {"nested", "npt", NULL}));
        g_assert_cmpuint(g_strv_length(none), ==, 0);
        g_assert_false(dropin_unset(dropin, "kvm_amd", "avic"));
        g_assert_false(dropin_unset(dropin, "kvm", "nested"));
        g_assert_true(dropin_unset(dropin, "kvm_amd", "nested"));
        g_assert_false(dropin_unset(dropin, "kvm_amd", "nested"));
        assert_render(dropin, HEADER "options kvm_amd npt=1\n");
        g_assert_true(dropin_unset(dropin, "kvm_amd", "npt"));
        assert_render(dropin, NULL);
}

static void test_unchanged_is_untouched(void) {
        static const char *const texts[] = {
                        "options kvm-amd   nested=0\n",
                        "options kvm_amd npt=1 nested=0",
                        "# mine\n",
                        "options kvm_amd nested=0 \\\n npt=0\n\n\noptions kvm_amd npt=1\n",
                        "install kvm_amd /bin/true\n",
                        "\xe9t\xe9\n",
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autoptr(Dropin) dropin = dropin_parse(texts[i]);
                const char *now = dropin_get(dropin, "kvm_amd", "nested");

                if (now)
                        dropin_set(dropin, "kvm_amd", "nested", now);
                g_assert_false(dropin_unset(dropin, "kvm_amd", "vgif"));
                assert_render(dropin, texts[i]);
        }
}

static void test_nothing_of_ours_left(void) {
        static const char *const texts[] = {"", "\n \n", HEADER, HEADER "\n", HEADER HEADER};

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autoptr(Dropin) dropin = dropin_parse(texts[i]);

                assert_render(dropin, NULL);
        }
}

/* Comments are kept as long as there is anything to say them of. */
static void test_tidy(void) {
        static const struct {
                const char *text, *left;
        } rows[] = {
                        {HEADER "#options kvm_amd nested=0\n\n", NULL},
                        {"# mine\n \t# \\\n and on\n", NULL},
                        {"# mine\nblacklist x\n", "# mine\nblacklist x\n"},
                        {"# mine\noptions kvm npt=1\n", "# mine\noptions kvm npt=1\n"},
                        {" x#\n", " x#\n"},
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(Dropin) dropin = dropin_parse(rows[i].text);

                dropin_tidy(dropin);
                assert_render(dropin, rows[i].left);
        }
}

static void test_edited_by_hand(void) {
        g_autoptr(Dropin) dropin = dropin_parse("# asked for by the storage people\n"
                                                "options kvm-amd nested=0 npt=0 \\\n   avic=\"1\"\n"
                                                "\toptions\tkvm_amd\tnpt=1\n"
                                                "softdep kvm pre: irqbypass\n"
                                                "options kvm_amd\n"
                                                "options kvm ignore-msrs\n"
                                                "blacklist x \\\n y\\");

        g_assert_cmpstr(dropin_get(dropin, "kvm_amd", "nested"), ==, "0");
        g_assert_cmpstr(dropin_get(dropin, "kvm_amd", "npt"), ==, "1");
        g_assert_cmpstr(dropin_get(dropin, "kvm_amd", "avic"), ==, "1");
        g_assert_cmpstr(dropin_get(dropin, "kvm", "ignore_msrs"), ==, "");
        dropin_set(dropin, "kvm_amd", "nested", "1");
        assert_render(dropin, HEADER "# asked for by the storage people\n"
                                     "softdep kvm pre: irqbypass\n"
                                     "options kvm_amd\n"
                                     "blacklist x \\\n y\\\n\n"
                                     "options kvm ignore_msrs\n"
                                     "options kvm_amd avic=1 nested=1 npt=1\n");
}

/* Whatever is written must come back through modprobe's and the kernel's rules as it was meant. */
static void test_read_back(Tree *tree, gconstpointer data) {
        static const char *const values[] = {"0", "4294967295", "auto", "a b", "x\\y", "\t", "", "a=b", "#"};

        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
                g_autoptr(Dropin) dropin = dropin_parse("options kvm_amd a=\"open\nblacklist x\\"), again = NULL;
                g_autoptr(Options) options = NULL;
                g_autofree char *text = NULL;
                const Option *option;

                dropin_set(dropin, "kvm_amd", "nested", values[i]);
                dropin_set(dropin, "kvm_amd", "zz", "9");
                text = dropin_render(dropin);
                tree_write(tree, DROPIN_PATH, text);
                options = options_read(tree->root);
                option = options_winner(options, "kvm_amd", "nested", NULL);
                g_assert_cmpstr(option->value, ==, g_str_equal(values[i], "\t") ? " " : values[i]);
                g_assert_cmpstr(option->path, ==, "/" DROPIN_PATH);
                g_assert_cmpstr(options_winner(options, "kvm_amd", "zz", NULL)->value, ==, "9");
                g_assert_cmpstr(options_winner(options, "kvm_amd", "a", NULL)->value, ==, "open");
                g_assert_nonnull(options_command(options, "blacklist", "x"));
                again = dropin_read(tree->root, DROPIN_PATH, NULL);
                g_assert_cmpstr(dropin_get(again, "kvm_amd", "nested"), ==, option->value);
                assert_render(again, text);
        }
}

/* What was written by hand and has no end must not reach over what is set, nor be taken for it. */
static void test_open_ends(Tree *tree, gconstpointer data) {
        static const char *const texts[] = {
                        "blacklist x\\\n",
                        "blacklist x\\\\",
                        "options kvm_amd a\"b=1\n",
                        "options kvm_amd \"",
                        "options kvm_amd a=\"x\noptions kvm_amd nested=1\n",
                        "options kvm_amd --\noptions kvm_amd nested=1\n",
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autoptr(Dropin) dropin = dropin_parse(texts[i]);
                g_autoptr(Options) options = NULL;
                g_autofree char *text = NULL;

                g_test_message("%s", texts[i]);
                g_assert_null(dropin_get(dropin, "kvm_amd", "nested"));
                dropin_set(dropin, "kvm_amd", "nested", "1");
                text = dropin_render(dropin);
                tree_write(tree, DROPIN_PATH, text);
                options = options_read(tree->root);
                const Option *option = options_winner(options, "kvm_amd", "nested", NULL);
                g_assert_nonnull(option);
                g_assert_cmpstr(option->value, ==, "1");
        }
}

static void test_module_of_any_name(void) {
        g_autoptr(Dropin) dropin = dropin_parse("options a\\\\b c\\\\d=1\n");

        dropin_set(dropin, "kvm", "ignore_msrs", "1");
        assert_render(dropin, HEADER "options a\\\\b c\\\\d=1\noptions kvm ignore_msrs=1\n");
}

static void test_read(Tree *tree, gconstpointer data) {
        static const char bytes[] = "options kvm_amd nested=0\0garbage\noptions kvm_amd npt=0\n";
        g_autoptr(Dropin) missing = dropin_read(tree->root, DROPIN_PATH, NULL), dropin = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_nonnull(missing);
        assert_render(missing, NULL);
        tree_write_bytes(tree, DROPIN_PATH, bytes, sizeof(bytes) - 1);
        dropin = dropin_read(tree->root, DROPIN_PATH, NULL);
        g_assert_cmpstr(dropin_get(dropin, "kvm_amd", "nested"), ==, "0");
        g_assert_cmpstr(dropin_get(dropin, "kvm_amd", "npt"), ==, "0");
        tree_folder(tree, DROPIN_RUNTIME_PATH);
        g_assert_null(dropin_read(tree->root, DROPIN_RUNTIME_PATH, &error));
        g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dropin/new-file", test_new_file);
        g_test_add_func("/dropin/unset", test_unset);
        g_test_add_func("/dropin/unchanged-is-untouched", test_unchanged_is_untouched);
        g_test_add_func("/dropin/nothing-of-ours-left", test_nothing_of_ours_left);
        g_test_add_func("/dropin/tidy", test_tidy);
        g_test_add_func("/dropin/edited-by-hand", test_edited_by_hand);
        g_test_add("/dropin/read-back", Tree, NULL, tree_set_up, test_read_back, tree_tear_down);
        g_test_add("/dropin/open-ends", Tree, NULL, tree_set_up, test_open_ends, tree_tear_down);
        g_test_add_func("/dropin/module-of-any-name", test_module_of_any_name);
        g_test_add("/dropin/read", Tree, NULL, tree_set_up, test_read, tree_tear_down);
        return g_test_run();
}
