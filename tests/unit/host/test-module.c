/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One module as a host shows it: live, built in, to be had, missing; and what the loader says of
 * module files, with the real libkmod. */

#include <glib/gstdio.h>
#include <string.h>

#include "error.h"
#include "module.h"
#include "tree.h"

typedef struct Case {
        const char *fixture, *module;
        ModuleState state;
        bool in_use;
        const char *parameter, *value; /* NULL: no parameter at all */
        unsigned parameters;
} Case;

static const Case cases[] = {
                {"amd-epyc-6.1", "kvm_amd", MODULE_LIVE, false, "nested", "1", 16},
                {"amd-epyc-6.1", "kvm-amd", MODULE_LIVE, false, "npt", "Y", 16},
                {"amd-epyc-6.1", "kvm", MODULE_LIVE, false, "tdp_mmu", "Y", 23},
                {"amd-epyc-6.1", "kvm_intel", MODULE_MISSING, false, NULL, NULL, 0},
                {"intel-skylake-server", "kvm_intel", MODULE_LIVE, false, "enable_shadow_vmcs", "Y", 26},
                {"intel-haswell-desktop", "kvm_intel", MODULE_LIVE, false, "enable_apicv", "N", 26},
                {"loadable", "kvm_amd", MODULE_LOADABLE, false, "nested", "", 16},
                {"loadable", "kvm", MODULE_LOADABLE, false, "ignore_msrs", "", 23},
                {"loadable", "kvm_intel", MODULE_MISSING, false, NULL, NULL, 0},
                {"builtin-kvm-pvm", "kvm_pvm", MODULE_BUILTIN, false, "pvm_native", "Y", 11},
                {"builtin-kvm-pvm", "kvm", MODULE_BUILTIN, false, "halt_poll_ns", "200000", 28},
                {"builtin-kvm-pvm", "kvm_amd", MODULE_MISSING, false, NULL, NULL, 0},
                {"no-kvm", "kvm", MODULE_MISSING, false, NULL, NULL, 0},
                {"modules-disabled", "kvm_amd", MODULE_LIVE, false, "nested", "1", 16},
};

static void free_loader(Loader *loader) {
        loader->free(loader);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, free_loader)

static void test_fixture(gconstpointer data) {
        const Case *c = data;
        g_autoptr(Loader) loader = NULL;
        g_autoptr(Module) module = NULL;
        g_autofree char *name = g_strdelimit(g_strdup(c->module), "-", '_');
        Tree tree;

        tree_set_up(&tree, c->fixture);
        loader = loader_kmod_new(tree.root, NULL);
        module = module_read(tree.root, loader, c->module);
        g_assert_cmpstr(module->name, ==, name);
        g_assert_cmpstr(module_state_to_string(module->state), ==, module_state_to_string(c->state));
        g_assert_true(module_is_present(module) == (c->state == MODULE_LIVE || c->state == MODULE_BUILTIN));
        g_assert_true(module_in_use(module) == c->in_use);
        g_assert_true((module->refcnt >= 0) == (c->state == MODULE_LIVE));
        g_assert_cmpuint(g_hash_table_size(module->values), ==, c->parameters);
        if (c->parameter)
                g_assert_cmpstr(module_value(module, c->parameter)->value, ==, c->value);
        g_assert_null(module_value(module, "no_such_parameter"));
        tree_tear_down(&tree, NULL);
}

static void test_use(Tree *tree, gconstpointer data) {
        static const struct {
                const char *refcnt;
                int number;
                bool in_use;
        } rows[] = {{"0\n", 0, false},  {"1\n", 1, false},   {"2\n", 2, true},
                    {"37\n", 37, true}, {"-1\n", -1, false}, {"x\n", -1, false},
                    {"", -1, false},    {"3x\n", -1, false}, {"99999999999999999999\n", G_MAXINT, true}};

        tree_write(tree, "sys/module/kvm/initstate", "live\n");
        tree_write(tree, "sys/module/kvm/holders/kvm_amd", "");
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(Module) module = NULL;

                tree_write(tree, "sys/module/kvm/refcnt", rows[i].refcnt);
                module = module_read(tree->root, NULL, "kvm");
                g_assert_cmpint(module->refcnt, ==, rows[i].number);
                g_assert_true(module_in_use(module) == rows[i].in_use);
                g_assert_cmpuint(g_strv_length(module->holders), ==, 1);
        }
}

static void test_values(Tree *tree, gconstpointer data) {
        g_autofree char *path = tree_path(tree, "sys/module/kvm/parameters/halt_poll_ns");
        g_autoptr(Module) module = NULL;

        tree_write(tree, "sys/module/kvm/parameters/halt_poll_ns", "200000\n");
        tree_write(tree, "sys/module/kvm/parameters/odd", "\xfe text \nsecond\n");
        tree_write(tree, "sys/module/kvm/parameters/\xff", "Y\n");
        tree_folder(tree, "sys/module/kvm/parameters/folder");
        tree_write(tree, "sys/module/kvm/initstate", "live\n");
        g_assert_cmpint(g_chmod(path, 0755), ==, 0);
        module = module_read(tree->root, NULL, "kvm");
        g_assert_cmpuint(g_hash_table_size(module->values), ==, 3);
        g_assert_cmpstr(module_value(module, "halt_poll_ns")->value, ==, "200000");
        g_assert_true(module_value(module, "halt_poll_ns")->writable);
        g_assert_cmpstr(module_value(module, "odd")->value, ==, "\xef\xbf\xbd text ");
        g_assert_false(module_value(module, "odd")->writable);
        g_assert_cmpstr(module_value(module, "folder")->value, ==, "");
}

/* On the way in or out a module is not live: what counts is whether it can be had. */
static void test_transitions(Tree *tree, gconstpointer data) {
        static const char *const states[] = {"coming\n", "going\n", "bogus\n", ""};

        for (unsigned i = 0; i < G_N_ELEMENTS(states); i++) {
                g_autoptr(Module) module = NULL;

                tree_write(tree, "sys/module/kvm_amd/initstate", states[i]);
                tree_write(tree, "sys/module/kvm_amd/parameters/nested", "1\n");
                module = module_read(tree->root, NULL, "kvm_amd");
                g_assert_cmpint(module->state, ==, MODULE_MISSING);
                g_assert_cmpuint(g_hash_table_size(module->values), ==, 0);
        }
}

static void test_machine_is_writable_by_mode(void) {
        g_autoptr(Root) root = root_new("/", NULL, NULL);
        g_auto(GStrv) names = root_list(root, "sys/module");
        unsigned seen = 0;

        for (char **name = names; *name; name++) {
                g_autoptr(Module) module = module_read(root, NULL, *name);
                GHashTableIter iter;
                gpointer key, value;

                g_hash_table_iter_init(&iter, module->values);
                while (g_hash_table_iter_next(&iter, &key, &value)) {
                        g_autofree char *path = g_build_filename("/sys/module", *name, "parameters", key, NULL);
                        GStatBuf st;

                        g_assert_cmpint(g_stat(path, &st), ==, 0);
                        g_assert_true(((ModuleValue *) value)->writable == ((st.st_mode & 0200) != 0));
                        seen++;
                }
        }
        g_assert_cmpuint(seen, >, 10);
}

static void test_loader_reads_files(void) {
        g_autoptr(Loader) loader = NULL;
        g_autoptr(GHashTable) parameters = NULL;
        g_autofree char *path = NULL, *expected = NULL;
        Tree tree;

        tree_set_up(&tree, "loadable");
        loader = loader_kmod_new(tree.root, NULL);
        path = loader->locate(loader, "kvm_amd");
        expected = root_absolute(tree.root, "lib/modules/6.1.0-56-cloud-amd64/kernel/arch/x86/kvm/kvm-amd.ko");
        g_assert_cmpstr(path, ==, expected);
        g_assert_null(loader->locate(loader, "kvm_intel"));
        g_assert_null(loader->locate(loader, "kvm*"));
        g_assert_null(loader->locate(loader, ""));
        parameters = loader->parameters(loader, "kvm_amd");
        g_assert_cmpstr(g_hash_table_lookup(parameters, "nested"), ==, "int");
        g_assert_cmpstr(g_hash_table_lookup(parameters, "npt"), ==, "bool");
        g_assert_cmpuint(g_hash_table_size(parameters), ==, 16);
        g_assert_null(loader->parameters(loader, "kvm_intel"));
        tree_tear_down(&tree, NULL);
}

static void copy(const Tree *from, const Tree *to, const char *path) {
        g_autofree char *full = tree_path(from, path), *data = NULL;
        size_t size;

        g_assert_true(g_file_get_contents(full, &data, &size, NULL));
        tree_write_bytes(to, path, data, size);
}

#define MODULES "lib/modules/6.1.0-56-cloud-amd64/"
#define KVM_AMD MODULES "kernel/arch/x86/kvm/kvm-amd.ko"

/* A module file may go and come back while the daemon runs; modules.dep alone proves nothing, and a
 * broken file has no parameters. */
static void test_loader_sees_changes(Tree *tree, gconstpointer data) {
        g_autoptr(Loader) loader = loader_kmod_new(tree->root, NULL);
        g_autofree char *there = NULL, *full = tree_path(tree, KVM_AMD);
        Tree fixture;

        g_assert_null(loader->locate(loader, "kvm_amd"));
        tree_set_up(&fixture, "loadable");
        copy(&fixture, tree, MODULES "modules.dep.bin");
        copy(&fixture, tree, "proc/sys/kernel/osrelease");
        g_assert_null(loader->locate(loader, "kvm_amd"));
        g_assert_null(loader->parameters(loader, "kvm_amd"));
        tree_write(tree, KVM_AMD, "no ELF file");
        there = loader->locate(loader, "kvm_amd");
        g_assert_cmpstr(there, ==, full);
        g_assert_null(loader->parameters(loader, "kvm_amd"));
        copy(&fixture, tree, KVM_AMD);
        g_hash_table_unref(loader->parameters(loader, "kvm_amd"));
        g_assert_cmpint(g_remove(full), ==, 0);
        g_assert_null(loader->locate(loader, "kvm_amd"));
        tree_tear_down(&fixture, NULL);
}

/* A link in the tree that leads to a file of the machine is no file of the tree. */
static void test_loader_stays_inside(Tree *tree, gconstpointer data) {
        g_autoptr(Loader) loader = loader_kmod_new(tree->root, NULL);
        g_autofree char *target = NULL;
        Tree fixture;

        tree_set_up(&fixture, "loadable");
        target = tree_path(&fixture, KVM_AMD);
        copy(&fixture, tree, MODULES "modules.dep.bin");
        copy(&fixture, tree, "proc/sys/kernel/osrelease");
        tree_link(tree, KVM_AMD, target);
        g_assert_null(loader->locate(loader, "kvm_amd"));
        g_assert_null(loader->parameters(loader, "kvm_amd"));
        /* Also where the tree has such a file of its own, which libkmod would not read. */
        tree_write(tree, target + 1, "of the tree");
        g_assert_null(loader->locate(loader, "kvm_amd"));
        g_assert_null(loader->parameters(loader, "kvm_amd"));
        tree_write(tree, "proc/sys/kernel/osrelease", "../../../../../../../..\n");
        g_assert_null(loader->locate(loader, "kvm_amd"));
        tree_tear_down(&fixture, NULL);
}

/* Nor is an index that lies elsewhere one of the tree. */
static void test_loader_index_stays_inside(Tree *tree, gconstpointer data) {
        g_autoptr(Loader) loader = loader_kmod_new(tree->root, NULL);
        g_autofree char *target = NULL, *link = tree_path(tree, MODULES "modules.dep.bin"), *there = NULL;
        Tree fixture;

        tree_set_up(&fixture, "loadable");
        target = tree_path(&fixture, MODULES "modules.dep.bin");
        copy(&fixture, tree, "proc/sys/kernel/osrelease");
        copy(&fixture, tree, KVM_AMD);
        tree_link(tree, MODULES "modules.dep.bin", target);
        g_assert_null(loader->locate(loader, "kvm_amd"));

        g_assert_cmpint(g_remove(link), ==, 0);
        copy(&fixture, tree, MODULES "modules.dep.bin");
        there = loader->locate(loader, "kvm_amd");
        g_assert_nonnull(there);
        tree_tear_down(&fixture, NULL);
}

static void test_loader_touches_nothing(void) {
        g_autoptr(Loader) loader = NULL;
        g_autoptr(GError) load = NULL, unload = NULL;
        bool existed = true, busy = true;
        Tree tree;

        tree_set_up(&tree, "amd-epyc-6.1");
        loader = loader_kmod_new(tree.root, NULL);
        g_assert_true(loader->inert);
        g_assert_false(loader->load(loader, "kvm_amd", "nested=0", &existed, &load));
        g_assert_error(load, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_nonnull(strstr(load->message, "/tests/fixtures/amd-epyc-6.1 is a directory"));
        g_assert_false(existed);
        g_assert_false(loader->unload(loader, "kvm_amd", &busy, &unload));
        g_assert_error(unload, CONDITION, CONDITION_UNSUPPORTED);
        g_assert_false(busy);
        tree_tear_down(&tree, NULL);
}

static void test_loader_on_the_machine(void) {
        g_autoptr(Root) root = root_new("/", NULL, NULL);
        g_autoptr(Loader) loader = loader_kmod_new(root, NULL);

        g_assert_false(loader->inert);
        g_assert_null(loader->locate(loader, "no_such_module"));
        g_assert_null(loader->parameters(loader, "no_such_module"));
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autofree char *path = g_strdup_printf("/module/%s/%s", cases[i].fixture, cases[i].module);

                g_test_add_data_func(path, &cases[i], test_fixture);
        }
        g_test_add("/module/use", Tree, NULL, tree_set_up, test_use, tree_tear_down);
        g_test_add("/module/values", Tree, NULL, tree_set_up, test_values, tree_tear_down);
        g_test_add("/module/transitions", Tree, NULL, tree_set_up, test_transitions, tree_tear_down);
        g_test_add_func("/module/machine-is-writable-by-mode", test_machine_is_writable_by_mode);
        g_test_add_func("/loader/reads-files", test_loader_reads_files);
        g_test_add("/loader/sees-changes", Tree, NULL, tree_set_up, test_loader_sees_changes, tree_tear_down);
        g_test_add("/loader/stays-inside", Tree, NULL, tree_set_up, test_loader_stays_inside, tree_tear_down);
        g_test_add("/loader/index-stays-inside", Tree, NULL, tree_set_up, test_loader_index_stays_inside,
                   tree_tear_down);
        g_test_add_func("/loader/touches-nothing", test_loader_touches_nothing);
        g_test_add_func("/loader/on-the-machine", test_loader_on_the_machine);
        return g_test_run();
}
