/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the probe has left: only what is understood is shown, and whether it still holds is found
 * out anew each time. */

#include "probe-result.h"
#include "tree.h"

#define BOOT "one-boot"
#define PARAMETERS "sys/module/kvm_amd/parameters"

static void assert_result(const Tree *tree, const char *expected) {
        g_autoptr(GVariant) result = probe_result_read(tree->root, BOOT);
        g_autofree char *text = g_variant_print(result, FALSE);

        g_assert_true(g_variant_is_of_type(result, G_VARIANT_TYPE_VARDICT));
        g_assert_cmpstr(text, ==, expected);
}

static guint64 load_of(const Tree *tree) {
        struct stat st;

        g_assert_cmpint(root_stat(tree->root, PARAMETERS, &st), ==, 0);
        return st.st_ino;
}

static void write_result(const Tree *tree, const char *boot, guint64 load) {
        g_autofree char *text =
                        g_strdup_printf("{\"Result\": <@s \"on\">, \"BootId\": <@s \"%s\">, \"Stale\": <false>, "
                                        "\"Loads\": <@a{st} {\"kvm_amd\": %" G_GUINT64_FORMAT "}>}\n",
                                        boot, load);

        tree_write(tree, PROBE_RESULT_PATH, text);
}

static void test_none(Tree *tree, gconstpointer unused) {
        assert_result(tree, "{}");
        tree_folder(tree, PROBE_RESULT_PATH);
        assert_result(tree, "{}");
}

static void test_not_understood(Tree *tree, gconstpointer unused) {
        static const char *const texts[] = {"",
                                            "{",
                                            "{}{}",
                                            "'a'",
                                            "{'Result': 'on'}",
                                            "{'Result': <'on'>",
                                            "\xff",
                                            "{'Result': <'\xce'>}"};
        g_autofree char *long_one = g_strnfill(100000, ' '), *deep = g_strnfill(1000, '<');
        g_autofree char *padded = g_strconcat("{", long_one, "}", NULL),
                        *nested = g_strconcat("{'Result': ", deep, NULL);

        for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
                tree_write(tree, PROBE_RESULT_PATH, texts[i]);
                assert_result(tree, "{}");
        }
        tree_write(tree, PROBE_RESULT_PATH, padded);
        assert_result(tree, "{}");
        tree_write(tree, PROBE_RESULT_PATH, nested);
        assert_result(tree, "{}");
}

static void test_only_what_is_known(Tree *tree, gconstpointer unused) {
        tree_folder(tree, PARAMETERS);
        tree_write(tree, PROBE_RESULT_PATH,
                   "{'Message': <'m'>, 'Result': <5>, 'Counts': <{'a': uint64 1}>, 'Other': <'x'>, "
                   "'Loads': <@a{st} {}>}");
        assert_result(tree, "{'Counts': <{'a': uint64 1}>, 'Message': <'m'>}");
}

static void test_stale(Tree *tree, gconstpointer unused) {
        tree_folder(tree, PARAMETERS);
        write_result(tree, BOOT, load_of(tree));
        assert_result(tree, "{'BootId': <'one-boot'>, 'Result': <'on'>, 'Stale': <false>}");
        write_result(tree, BOOT, load_of(tree) + 1);
        assert_result(tree, "{'BootId': <'one-boot'>, 'Result': <'on'>, 'Stale': <true>}");
        write_result(tree, "another", load_of(tree));
        assert_result(tree, "{'BootId': <'another'>, 'Result': <'on'>, 'Stale': <true>}");
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/probe-result/none", Tree, NULL, tree_set_up, test_none, tree_tear_down);
        g_test_add("/probe-result/not-understood", Tree, NULL, tree_set_up, test_not_understood, tree_tear_down);
        g_test_add("/probe-result/only-what-is-known", Tree, NULL, tree_set_up, test_only_what_is_known,
                   tree_tear_down);
        g_test_add("/probe-result/stale", Tree, NULL, tree_set_up, test_stale, tree_tear_down);
        return g_test_run();
}
