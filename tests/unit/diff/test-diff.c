/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Differences of texts, through the module, against what diff(1) prints. */

#include <glib/gstdio.h>
#include <string.h>

#include "diff.h"
#include "error.h"
#include "plugin.h"

static char *lines(unsigned from, unsigned to, unsigned changed) {
        GString *text = g_string_new(NULL);

        for (unsigned i = from; i <= to; i++)
                g_string_append_printf(text, "line %u%s\n", i, i == changed ? " new" : "");
        return g_string_free(text, FALSE);
}

static void test_the_same(void) {
        g_autofree char *diff = diff_unified("a\n", "a\n", "web1", NULL);

        g_assert_cmpstr(diff, ==, "");
}

static void test_context(void) {
        g_autofree char *before = lines(1, 20, 0), *after = lines(1, 20, 10);
        g_autoptr(GError) error = NULL;
        g_autofree char *diff = diff_unified(before, after, "web1", &error);

        g_assert_no_error(error);
        g_assert_cmpstr(diff, ==,
                        "--- web1\n+++ web1\n@@ -7,7 +7,7 @@ line 6\n line 7\n line 8\n line 9\n-line 10\n+line 10 "
                        "new\n line 11\n line 12\n"
                        " line 13\n");
}

static void test_a_name_is_one_line(void) {
        g_autofree char *diff = diff_unified("a\n", "b\n", "we\nb\r1", NULL);

        g_assert_cmpstr(diff, ==, "--- we b 1\n+++ we b 1\n@@ -1 +1 @@\n-a\n+b\n");
}

static void test_from_nothing_and_to_nothing(void) {
        g_autofree char *up = diff_unified("", "a\nb\n", "n", NULL), *down = diff_unified("a\n", "", "n", NULL);

        g_assert_cmpstr(up, ==, "--- n\n+++ n\n@@ -0,0 +1,2 @@\n+a\n+b\n");
        g_assert_cmpstr(down, ==, "--- n\n+++ n\n@@ -1 +0,0 @@\n-a\n");
}

static void test_no_newline_at_the_end(void) {
        g_autofree char *diff = diff_unified("a", "b\n", "n", NULL);

        g_assert_cmpstr(diff, ==, "--- n\n+++ n\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n");
}

static void test_bytes_that_are_no_text(void) {
        g_autofree char *diff = diff_unified("\x01\xff\n", "\x02\xfe\n", "n", NULL);

        g_assert_nonnull(strstr(diff, "-\x01\xff\n+\x02\xfe\n"));
}

static void test_size_is_bounded(void) {
        g_autofree char *large = g_strnfill(DIFF_MAX, 'a');
        g_autoptr(GError) error = NULL;

        g_assert_null(diff_unified(large, "b", "n", &error));
        g_assert_error(error, CONDITION, CONDITION_INVALID_ARGS);
}

/* Applied by patch(1), it makes the one text of the other. */
static void test_patch_takes_it(void) {
        g_autofree char *folder = g_dir_make_tmp("nestvirt-diff-XXXXXX", NULL);
        g_autofree char *file = g_build_filename(folder, "a", NULL), *change = g_build_filename(folder, "b", NULL);
        g_autofree char *before = lines(1, 300, 5), *middle = lines(40, 300, 77),
                        *after = g_strconcat("top\n", middle, "end", NULL);
        g_autofree char *diff = diff_unified(before, after, "a", NULL), *command = NULL, *patched = NULL;
        int status;

        g_assert_true(g_file_set_contents(file, before, -1, NULL));
        g_assert_true(g_file_set_contents(change, diff, -1, NULL));
        command = g_strdup_printf("patch -s %s %s", file, change);
        g_assert_true(g_spawn_command_line_sync(command, NULL, NULL, &status, NULL));
        g_assert_cmpint(status, ==, 0);
        g_assert_true(g_file_get_contents(file, &patched, NULL, NULL));
        g_assert_cmpstr(patched, ==, after);
        g_assert_cmpint(g_remove(file) + g_remove(change) + g_rmdir(folder), ==, 0);
}

static void test_what_can_t_be_loaded_is_said(void) {
        g_autoptr(GError) none = NULL, symbol = NULL;

        g_assert_null(plugin_symbol("nestvirt-frob.so", "frob", &none));
        g_assert_nonnull(strstr(none->message, "nestvirt-frob.so"));
        g_assert_null(plugin_symbol("nestvirt-diff.so", "frob", &symbol));
        g_assert_nonnull(strstr(symbol->message, "frob"));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/diff/the-same", test_the_same);
        g_test_add_func("/diff/context", test_context);
        g_test_add_func("/diff/a-name-is-one-line", test_a_name_is_one_line);
        g_test_add_func("/diff/from-nothing-and-to-nothing", test_from_nothing_and_to_nothing);
        g_test_add_func("/diff/no-newline-at-the-end", test_no_newline_at_the_end);
        g_test_add_func("/diff/bytes-that-are-no-text", test_bytes_that_are_no_text);
        g_test_add_func("/diff/size-is-bounded", test_size_is_bounded);
        g_test_add_func("/diff/patch-takes-it", test_patch_takes_it);
        g_test_add_func("/diff/what-can-t-be-loaded-is-said", test_what_can_t_be_loaded_is_said);
        return g_test_run();
}
