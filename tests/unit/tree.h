/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A root for a test: an empty temporary folder to be filled, or one of the fixtures in git, which
 * is only read. */

#include <glib.h>

#include "root.h"

typedef struct Tree {
        char *directory;
        bool temporary;
        Root *root;
} Tree;

/* For g_test_add(): @fixture is the name of a fixture, NULL makes an empty folder. */
void tree_set_up(Tree *tree, gconstpointer fixture);
void tree_tear_down(Tree *tree, gconstpointer fixture);

/* The absolute path of something in the tree. */
char *tree_path(const Tree *tree, const char *path);
/* Makes what is needed above it, too. */
void tree_write(const Tree *tree, const char *path, const char *text);
void tree_write_bytes(const Tree *tree, const char *path, const void *data, size_t size);
void tree_link(const Tree *tree, const char *path, const char *target);
void tree_folder(const Tree *tree, const char *path);
/* NULL when there is no such file. */
char *tree_read(const Tree *tree, const char *path);
