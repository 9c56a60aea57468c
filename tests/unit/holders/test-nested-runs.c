/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which machine is a guest, and what its two counters say. */

#include <string.h>

#include "nested-runs.h"
#include "tree.h"
#include "vm-folders.h"

#define ONE "3b5b08e4-3dca-4ff9-9a1d-40389758d081"
#define TWO "ffffffff-3dca-4ff9-9a1d-40389758d082"

typedef struct Row {
        const char *name;
        const char *uuid;                    /* what the process 812 says to be */
        const char *nested_run, *guest_mode; /* its machine's files; NULL: there is none */
        const char *other;                   /* what 813 says to be, which has run 3 times; NULL: there is none */
        gint64 expected[2];                  /* of ONE; -1 in the first: nothing is told of it */
} Row;

static const Row rows[] = {
                {"both", ONE, "7\n", "1\n", NULL, {7, 1}},
                {"none-so-far", ONE, "0\n", "0\n", TWO, {0, 0}},
                {"no-guest-mode", ONE, "7\n", NULL, NULL, {7, -1}},
                {"no-nested-run", ONE, NULL, "1\n", NULL, {-1, -1}},
                {"no-number", ONE, "many\n", "1\n", NULL, {-1, -1}},
                {"too-many", ONE, "18446744073709551615\n", "0\n", NULL, {G_MAXINT64, 0}},
                {"a-stranger", "00000000-3dca-4ff9-9a1d-40389758d081", "7\n", "1\n", NULL, {-1, -1}},
                {"two-say-the-same", ONE, "7\n", "1\n", ONE, {-1, -1}},
};

static void make_vm(const Tree *tree, const char *pid, const char *uuid, const char *nested_run,
                    const char *guest_mode) {
        const char *const names[] = {"nested_run", "guest_mode"}, *const texts[] = {nested_run, guest_mode};
        g_autofree char *command = g_build_filename("proc", pid, "cmdline", NULL);
        g_autofree char *folder = g_strdup_printf(VM_FOLDERS_PATH "/%s-13", pid);
        g_autoptr(GString) text = g_string_new_len("qemu-system-x86_64\0-uuid", sizeof "qemu-system-x86_64\0-uuid");

        g_string_append_len(text, uuid, (gssize) strlen(uuid) + 1);
        tree_write_bytes(tree, command, text->str, text->len);
        tree_folder(tree, folder);
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
                g_autofree char *path = g_build_filename(folder, names[i], NULL);
                if (texts[i])
                        tree_write(tree, path, texts[i]);
        }
}

static void check_row(const Tree *tree, const Row *row) {
        g_autoptr(GHashTable) guests = g_hash_table_new(g_str_hash, g_str_equal);

        (void) g_hash_table_add(guests, (gpointer) ONE);
        (void) g_hash_table_add(guests, (gpointer) TWO);
        make_vm(tree, "812", row->uuid, row->nested_run, row->guest_mode);
        if (row->other)
                make_vm(tree, "813", row->other, "3\n", NULL);
        g_autoptr(GHashTable) runs = nested_runs_read(tree->root, guests);
        const NestedRun *run = g_hash_table_lookup(runs, ONE);
        g_assert_cmpint(run ? run->nested_run : -1, ==, row->expected[0]);
        g_assert_cmpint(run ? run->guest_mode : -1, ==, row->expected[1]);
        run = g_hash_table_lookup(runs, TWO);
        g_assert_cmpint(run ? run->nested_run : -1, ==, g_strcmp0(row->other, TWO) == 0 ? 3 : -1);
}

static void test_row(gconstpointer row) {
        Tree tree;

        tree_set_up(&tree, NULL);
        check_row(&tree, row);
        tree_tear_down(&tree, NULL);
}

static void test_without_debugfs(Tree *tree, gconstpointer unused) {
        g_autoptr(GHashTable) guests = g_hash_table_new(g_str_hash, g_str_equal);

        (void) g_hash_table_add(guests, (gpointer) ONE);
        g_autoptr(GHashTable) runs = nested_runs_read(tree->root, guests);
        g_assert_cmpuint(g_hash_table_size(runs), ==, 0);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/nested-runs/%s", rows[i].name);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add("/nested-runs/without-debugfs", Tree, NULL, tree_set_up, test_without_debugfs, tree_tear_down);
        return g_test_run();
}
