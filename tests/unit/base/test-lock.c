/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One at a time, and nothing is left in a tree of files. The machine's own lock is tried on the
 * emulated host. */

#include <unistd.h>

#include "error.h"
#include "lock.h"
#include "tree.h"

static void test_one_at_a_time(Tree *tree, gconstpointer data) {
        g_autoptr(GError) error = NULL;

        int first = lock_take(tree->root, &error);
        g_assert_no_error(error);
        g_assert_cmpint(first, >=, 0);
        g_assert_cmpint(lock_take(tree->root, &error), ==, -1);
        g_assert_error(error, CONDITION, CONDITION_BUSY);
        g_clear_error(&error);
        g_assert_cmpint(close(first), ==, 0);

        int next = lock_take(tree->root, &error);
        g_assert_no_error(error);
        g_assert_cmpint(close(next), ==, 0);
        g_assert_false(root_exists(tree->root, "var"));
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add("/lock/one-at-a-time", Tree, NULL, tree_set_up, test_one_at_a_time, tree_tear_down);
        return g_test_run();
}
