/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Makes, fills and removes the folders that tests use as a root. It uses no code of the daemon for
 * that. */

#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

void tree_set_up(Tree *tree, gconstpointer fixture) {
        g_autoptr(GError) error = NULL;

        tree->temporary = !fixture;
        tree->directory = fixture ? g_test_build_filename(G_TEST_DIST, "..", "fixtures", fixture, NULL)
                                  : g_dir_make_tmp("nestvirt-test-XXXXXX", &error);
        g_assert_no_error(error);
        tree->root = root_new(tree->directory, NULL, &error);
        g_assert_no_error(error);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk) {
        return remove(path);
}

void tree_tear_down(Tree *tree, gconstpointer fixture) {
        root_unref(tree->root);
        if (tree->temporary)
                g_assert_cmpint(nftw(tree->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
        g_free(tree->directory);
}

char *tree_path(const Tree *tree, const char *path) {
        return g_build_filename(tree->directory, path, NULL);
}

void tree_folder(const Tree *tree, const char *path) {
        g_autofree char *full = tree_path(tree, path);

        g_assert_true(tree->temporary);
        g_assert_cmpint(g_mkdir_with_parents(full, 0755), ==, 0);
}

static char *with_parent(const Tree *tree, const char *path) {
        g_autofree char *parent = g_path_get_dirname(path);

        tree_folder(tree, parent);
        return tree_path(tree, path);
}

void tree_write_bytes(const Tree *tree, const char *path, const void *data, size_t size) {
        g_autofree char *full = with_parent(tree, path);
        g_autoptr(GError) error = NULL;

        g_file_set_contents(full, data, (gssize) size, &error);
        g_assert_no_error(error);
}

void tree_write(const Tree *tree, const char *path, const char *text) {
        tree_write_bytes(tree, path, text, strlen(text));
}

void tree_link(const Tree *tree, const char *path, const char *target) {
        g_autofree char *full = with_parent(tree, path);

        g_assert_cmpint(symlink(target, full), ==, 0);
}

char *tree_read(const Tree *tree, const char *path) {
        g_autofree char *full = tree_path(tree, path);
        char *text = NULL;

        return g_file_get_contents(full, &text, NULL, NULL) ? text : NULL;
}
