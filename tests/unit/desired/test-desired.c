/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key files of the desired state: what is said, by which file, and where what is wrong
 * stands. */

#include "desired-folders.h"
#include "error.h"
#include "tree.h"

typedef struct Row {
        const char *text;
        Condition condition; /* CONDITION_MAX: it is fine */
        const char *message; /* the whole of it */
} Row;

#define FINE CONDITION_MAX, NULL

static const Row rows[] = {
                {"", FINE},
                {"# only this\n\n", FINE},
                {"[Parameters]\nnested=off\n", FINE},
                {"  [Parameters]  \r\n  nested = off \r\n", FINE},
                {"[kvm_intel]\nenable_shadow_vmcs=on\n[kvm_amd]\navic=auto\n[kvm]\nignore_msrs=1\n", FINE},
                {"[Apply]\nWhen=boot\n", FINE},
                {"[Guests]\nNested=no\nExcept=a;b c\n[Guest web1]\nMode=custom\nModel=EPYC-v2\n", FINE},
                {"\n[Parameters]\n\nnestd=off\n", CONDITION_NO_SUCH_PARAMETER, "f:4: No parameter is called \"nestd\""},
                {"[kvm_intel]\nnpt=off\n", CONDITION_NO_SUCH_PARAMETER,
                 "f:2: No parameter of kvm_intel is called \"npt\""},
                {"[Parameters]\nnested=maybe\n", CONDITION_INVALID_VALUE,
                 "f:2: nested can be on or off, not \"maybe\""},
                {"[Parameter]\nnested=off\n", CONDITION_INVALID_ARGS,
                 "f:1: There is no section [Parameter]; there are [Parameters], [kvm], [kvm_intel], [kvm_amd], "
                 "[Apply], [Guests] and [Guest NAME]"},
                {"[Guest ]\nNested=no\n", CONDITION_INVALID_ARGS,
                 "f:1: There is no section [Guest ]; there are [Parameters], [kvm], [kvm_intel], [kvm_amd], [Apply], "
                 "[Guests] and [Guest NAME]"},
                {"[Apply]\nWhen=soon\n", CONDITION_INVALID_VALUE,
                 "f:2: When can't be \"soon\"; allowed: idle, now, boot"},
                {"[Apply]\nwhen=idle\n", CONDITION_INVALID_ARGS, "f:2: [Apply] has no key \"when\"; it has When"},
                {"[Guest a]\nExcept=b\n", CONDITION_INVALID_ARGS,
                 "f:2: [Guest a] has no key \"Except\"; it has Nested, Mode and Model"},
                {"[Guests]\nMode=host\n", CONDITION_INVALID_VALUE,
                 "f:2: Mode can't be \"host\"; allowed: host-model, host-passthrough, maximum, custom"},
                {"[Guests]\nModel=a b\n", CONDITION_INVALID_VALUE, "f:2: \"a b\" can be no name of a CPU model"},
                {"[Guests]\nNested=perhaps\n", CONDITION_INVALID_VALUE,
                 "f:2: Nested can't be \"perhaps\"; allowed: yes, no, on, off, true, false, 1, 0"},
                {"[Parameters]\nnested=off\nnested=on\n", CONDITION_INVALID_ARGS,
                 "f:3: The key \"nested\" is given a second time, after line 2"},
                {"[Parameters]\nnested=off\n[kvm]\n[Parameters]\n", CONDITION_INVALID_ARGS,
                 "f:4: The section \"Parameters\" is given a second time, after line 1"},
                {"nested=off\n[Parameters]\n", CONDITION_INVALID_ARGS,
                 "f:1: \"nested=off\" stands before the first [SECTION]"},
                {"[Parameters]\nnested off\n", CONDITION_INVALID_ARGS,
                 "f:2: \"nested off\" is no KEY=VALUE, no [SECTION] and no # comment"},
                {"[Parameters\nnested=off\n", CONDITION_INVALID_ARGS, "f:1: \"[Parameters\" is no [SECTION]"},
                {"[Parameters]\n=off\n", CONDITION_INVALID_ARGS,
                 "f:2: \"=off\" is no KEY=VALUE, no [SECTION] and no # comment"},
                {"[Parameters]\nnested=\n", CONDITION_INVALID_VALUE, "f:2: nested can be on or off, not \"\""},
};

static void test_rows(void) {
        for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
                const Row *row = &rows[i];
                g_autoptr(Desired) desired = desired_new();
                g_autoptr(GError) error = NULL;
                const bool fine = desired_add_text(desired, "f", row->text, &error);

                g_assert_cmpstr(error ? error->message : NULL, ==, row->message);
                g_assert_true(fine == (row->condition == CONDITION_MAX));
                if (error)
                        g_assert_true(condition_of(error) == row->condition);
        }
}

/* Whatever is in a file: it is refused or taken, and the line is one of it. */
static void test_anything(void) {
        static const char *const pieces[] = {"[Parameters]", "\n",  "nested", "=", "on", "[", "]", "#", " ",
                                             "\\",           "\xff"};
        g_autoptr(GRand) rand = g_rand_new_with_seed(13);

        for (unsigned turn = 0; turn < 20000; turn++) {
                g_autoptr(GString) text = g_string_new(NULL);
                g_autoptr(Desired) desired = desired_new();
                g_autoptr(GError) error = NULL;
                for (int n = g_rand_int_range(rand, 0, 20); n > 0; n--)
                        g_string_append(text, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
                if (desired_add_text(desired, "f", text->str, &error))
                        g_assert_no_error(error);
                else {
                        g_assert_true(g_str_has_prefix(error->message, "f"));
                        g_assert_true(g_utf8_validate(error->message, -1, NULL));
                }
        }
}

static void assert_key(const Desired *desired, const char *section, const char *name, const char *value,
                       const char *file, unsigned line) {
        const DesiredKey *key = desired_find(desired, section, name);

        g_assert_nonnull(key);
        g_assert_cmpstr(key->value, ==, value);
        g_assert_cmpstr(key->file, ==, file);
        g_assert_cmpuint(key->line, ==, line);
}

static void test_order(Tree *tree, gconstpointer unused) {
        g_autoptr(GError) error = NULL;

        tree_write(tree, "usr/lib/nestvirt/10-vendor.conf", "[Parameters]\nnested=on\n[kvm]\nignore_msrs=on\n");
        tree_write(tree, "etc/nestvirt/20-site.conf", "\n[Parameters]\nnested=off\n");
        tree_write(tree, "usr/lib/nestvirt/30-hidden.conf", "[Parameters]\nnested=on\n");
        tree_write(tree, "etc/nestvirt/30-hidden.conf", "[Apply]\nWhen=now\n");
        tree_write(tree, "usr/lib/nestvirt/40-masked.conf", "[Parameters]\nnested=on\n");
        tree_link(tree, "etc/nestvirt/40-masked.conf", "/dev/null");
        tree_write(tree, "usr/lib/nestvirt/50-emptied.conf", "[Parameters]\nnested=on\n");
        tree_write(tree, "etc/nestvirt/50-emptied.conf", "");
        tree_write(tree, "etc/nestvirt/nestvirtd.conf", "[Libvirt]\nUri=\n");
        tree_write(tree, "etc/nestvirt/60-no.txt", "nothing of ours");
        tree_write(tree, "etc/nestvirt/.60-no.conf", "nothing of ours");
        g_autoptr(Desired) desired = desired_read(tree->root, NULL, &error);
        g_assert_no_error(error);
        assert_key(desired, "Parameters", "nested", "off", "/etc/nestvirt/20-site.conf", 3);
        assert_key(desired, "kvm", "ignore_msrs", "on", "/usr/lib/nestvirt/10-vendor.conf", 4);
        g_assert_cmpstr(desired_when(desired), ==, "now");
        g_assert_cmpuint(desired->keys->len, ==, 3);
}

static void test_none(Tree *tree, gconstpointer unused) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Desired) desired = desired_read(tree->root, NULL, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(desired->keys->len, ==, 0);
        g_assert_cmpstr(desired_when(desired), ==, "idle");
        g_assert_false(desired_has_parameters(desired) || desired_has_guests(desired));
}

static void test_unreadable(Tree *tree, gconstpointer unused) {
        g_autoptr(GError) error = NULL;

        tree_folder(tree, "etc/nestvirt/10.conf");
        g_assert_null(desired_read(tree->root, NULL, &error));
        g_assert_true(g_str_has_prefix(error->message, "Cannot read /etc/nestvirt/10.conf: "));
        g_clear_error(&error);

        static const char zero[] = "[Parameters]\nnested=o\0ff\n";
        tree_write_bytes(tree, "usr/lib/nestvirt/05.conf", zero, sizeof(zero) - 1);
        g_assert_null(desired_read(tree->root, NULL, &error));
        g_assert_cmpstr(error->message, ==, "/usr/lib/nestvirt/05.conf is no text: it has a NUL byte");
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/desired/rows", test_rows);
        g_test_add_func("/desired/anything", test_anything);
        g_test_add("/desired/order", Tree, NULL, tree_set_up, test_order, tree_tear_down);
        g_test_add("/desired/none", Tree, NULL, tree_set_up, test_none, tree_tear_down);
        g_test_add("/desired/unreadable", Tree, NULL, tree_set_up, test_unreadable, tree_tear_down);
        return g_test_run();
}
