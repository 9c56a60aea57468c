/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lines of the facts: of trees, of the child, of nobody; garbage and too much of it; and the
 * machine itself. */

#include <glib/gstdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "cpu-facts.h"
#include "cpu-spread.h"
#include "tree.h"

#define LEAF "   0x00000001 0x00: eax=0x000306c3 ebx=0x00100800 ecx=0x7ffafbff edx=0xbfebfbff\n"

static void assert_unknown(const CpuFacts *facts) {
        g_assert_null(facts->cpuid);
        g_assert_null(facts->msr);
        g_assert_null(facts->kvm_cpuid);
        g_assert_null(facts->kvm_msr);
        g_assert_null(facts->kvm_cap);
        g_assert_cmpuint(facts->spread->len, ==, 0);
}

static void test_nothing(Tree *tree, gconstpointer data) {
        g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);

        assert_unknown(facts);
        g_assert_null(cpuid_find(NULL, 1));
        g_assert_null(msr_find(NULL, 0x3a));
}

static void test_tree(Tree *tree, gconstpointer data) {
        tree_write(tree, "facts/cpuid",
                   "CPU 0:\n" LEAF "   0x00000004 0x01: eax=0x1 ebx=0x2 ecx=0x3 edx=0x4\n"
                   "CPU 1:\n   0x00000001 0x00: eax=0x0 ebx=0x0 ecx=0x0 edx=0x0\n"
                   "   0x80000001 0x00: eax=0x0 ebx=0x0 ecx=0x0 edx=0x0\n");
        tree_write(tree, "facts/msr", "0x3A 0x5\n0x0000048b 0x00ffFFff00000000\r\n");
        tree_write(tree, "facts/kvm-msr", "");
        g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);

        const CpuidLeaf *leaf = cpuid_find(facts->cpuid, 1);
        g_assert_nonnull(leaf);
        g_assert_cmphex(leaf->registers[CPU_EAX], ==, 0x306c3);
        g_assert_cmphex(leaf->registers[CPU_EBX], ==, 0x100800);
        g_assert_cmphex(leaf->registers[CPU_ECX], ==, 0x7ffafbff);
        g_assert_cmphex(leaf->registers[CPU_EDX], ==, 0xbfebfbff);
        g_assert_null(cpuid_find(facts->cpuid, 4));          /* another subleaf */
        g_assert_null(cpuid_find(facts->cpuid, 0x80000001)); /* another processor's */
        g_assert_cmphex(msr_find(facts->msr, 0x3a)->value, ==, 0x5);
        g_assert_cmphex(msr_find(facts->msr, 0x48b)->value, ==, 0xffffff00000000);
        g_assert_null(msr_find(facts->msr, 0x480));
        g_assert_nonnull(facts->kvm_msr);
        g_assert_cmpuint(facts->kvm_msr->len, ==, 0);
        g_assert_null(facts->kvm_cpuid);
}

/* Of the child, all in one file; it knows better than the tree. */
static void test_child(Tree *tree, gconstpointer data) {
        tree_write(tree, "facts/msr", "0x3a 0x1\n0x480 0x1\n");
        tree_write(tree, CPU_FACTS_PATH,
                   "0x3a 0x7\nmsr:\nCPU 2:\n0x3a 0x5\nCPU 3:\n0x3a 0x1\n0x481 0x1\nkvm-cpuid:\n" LEAF
                   "kvm-msr:\n0x480 0x2\nCPU 4:\n0x480 0x3\nkvm-cap:\n0x000000f0 0x0000000000000001\n");
        g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);

        g_assert_cmphex(msr_find(facts->msr, 0x3a)->value, ==, 0x5);
        g_assert_null(msr_find(facts->msr, 0x480));
        g_assert_null(msr_find(facts->msr, 0x481));
        g_assert_nonnull(cpuid_find(facts->kvm_cpuid, 1));
        g_assert_cmphex(msr_find(facts->kvm_msr, 0x480)->value, ==, 0x2);
        g_assert_cmphex(msr_find(facts->kvm_cap, 0xf0)->value, ==, 0x1);
        g_assert_null(facts->cpuid);
        g_assert_cmpuint(facts->spread->len, ==, 1);
        const CpuOdd *odd = g_ptr_array_index(facts->spread, 0);
        g_autofree char *processors = cpu_odd_processors(odd);
        g_assert_cmpstr(odd->what, ==, "MSR 0x3a");
        g_assert_cmpstr(processors, ==, "3");

        tree_write(tree, "facts/msr", "");
        tree_write(tree, CPU_FACTS_PATH, "");
        g_autoptr(CpuFacts) emptied = cpu_facts_read(tree->root);
        g_assert_null(emptied->kvm_msr);
}

/* Lines that are nearly right are none. */
static void test_wrong_lines(Tree *tree, gconstpointer data) {
        static const char *const msrs[] = {
                        "",
                        "0x3a",
                        "0x3a 5",
                        "3a 0x5",
                        "0x3a0x5x",
                        "0x3a -0x5",
                        "0x 0x5",
                        "0x3a 0x",
                        "0x3a 0x5 0x6",
                        "0x3a 0x5,",
                        "0x00000003a 0x5",
                        "0x3a 0x00000000000000005",
                        "0x3a=0x5",
                        "msr:",
                        "0x+3a 0x5",
                        "CPU x:",
                        "CPU 99999999999999999999:",
        };
        static const char *const leaves[] = {
                        "0x00000001 0x00: eax=0x1 ebx=0x1 ecx=0x1",
                        "0x00000001 0x00: eax=0x1 ebx=0x1 ecx=0x1 edx=0x1 more",
                        "0x00000001 0x00 eax=0x1 ebx=0x1 ecx=0x1 edx=0x1",
                        "0x00000001: eax=0x1 ebx=0x1 ecx=0x1 edx=0x1",
                        "0x00000001 0x00: eax=0x1 ebx=0x1 edx=0x1 ecx=0x1",
                        "0x00000001 0x00: eax=0x100000000 ebx=0x1 ecx=0x1 edx=0x1",
                        "0x00000001 0x00: eax=1 ebx=0x1 ecx=0x1 edx=0x1",
        };

        for (unsigned i = 0; i < G_N_ELEMENTS(msrs); i++) {
                tree_write(tree, "facts/msr", msrs[i]);
                g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);
                g_test_message("%s", msrs[i]);
                g_assert_cmpuint(facts->msr->len, ==, 0);
        }
        g_autofree char *padded = g_strdup_printf("0x3a 0x5%300s", "");
        tree_write(tree, "facts/msr", padded);
        g_autoptr(CpuFacts) long_line = cpu_facts_read(tree->root);
        g_assert_cmpuint(long_line->msr->len, ==, 0);
        for (unsigned i = 0; i < G_N_ELEMENTS(leaves); i++) {
                tree_write(tree, "facts/cpuid", leaves[i]);
                g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);
                g_test_message("%s", leaves[i]);
                g_assert_cmpuint(facts->cpuid->len, ==, 0);
        }
}

static void test_garbage(Tree *tree, gconstpointer data) {
        static const char *const paths[] = {"facts/cpuid", "facts/msr", "facts/kvm-msr", "facts/kvm-cpuid",
                                            CPU_FACTS_PATH};
        static const char letters[] = "0x123456789abcdef: \n\nCPU=eacbd:msr-kvid";
        g_autofree char *noise = g_malloc(100000);

        for (unsigned round = 0; round < 40; round++) {
                for (unsigned i = 0; i < 100000; i++)
                        noise[i] = round % 2 ? (char) g_test_rand_int()
                                             : letters[g_test_rand_int_range(0, sizeof(letters) - 1)];
                for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++)
                        tree_write_bytes(tree, paths[i], noise, (size_t) g_test_rand_int_range(0, 100000));
                g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);
                g_assert_nonnull(facts->cpuid);
                g_assert_cmpuint(facts->cpuid->len, <=, 512);
                g_assert_cmpuint(facts->msr->len, <=, 512);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
                g_autofree char *full = tree_path(tree, paths[i]);
                g_assert_cmpint(g_remove(full), ==, 0);
                tree_folder(tree, paths[i]);
        }
        g_autoptr(CpuFacts) folders = cpu_facts_read(tree->root);
        assert_unknown(folders);
}

/* However many lines and processors there are, what is kept is bounded. */
static void test_bounds(Tree *tree, gconstpointer data) {
        g_autoptr(GString) text = g_string_new("CPU 0:\n0x3a 0x5\n0x480 0x1\n");

        for (unsigned i = 0; i < 4000; i++)
                g_string_append_printf(text, "0x%x 0x%x\n", 0x1000 + i, i);
        for (unsigned i = 1; i < 8192; i++)
                g_string_append_printf(text, "CPU %u:\n0x3a 0x%x\n0x480 0x%x\n", i, i % 2 ? 1U : 5U, i < 100 ? 1U : 2U);
        tree_write(tree, "facts/msr", text->str);
        g_autoptr(CpuFacts) facts = cpu_facts_read(tree->root);
        g_assert_cmpuint(facts->msr->len, ==, 512);
        g_assert_cmpuint(facts->spread->len, ==, 2);

        g_autofree char *odd = cpu_odd_processors(g_ptr_array_index(facts->spread, 0));
        g_autofree char *range = cpu_odd_processors(g_ptr_array_index(facts->spread, 1));
        g_assert_true(g_str_has_prefix(odd, "1, 3, 5, "));
        g_assert_true(g_str_has_suffix(odd, " and more"));
        g_assert_cmpuint(strlen(odd), <, 200);
        g_assert_cmpstr(range, ==, "100-8191");

        g_string_set_size(text, 9 * 1024 * 1024);
        memset(text->str, ' ', text->len);
        tree_write(tree, "facts/msr", text->str);
        g_autoptr(CpuFacts) huge = cpu_facts_read(tree->root);
        g_assert_null(huge->msr);
}

static void test_spread(void) {
        g_autoptr(GPtrArray) spread = cpu_spread_new();

        for (unsigned i = 0; i < 100; i++) {
                g_autofree char *what = g_strdup_printf("flag%u", i);
                cpu_spread_add(spread, what, i % 2, 7);
        }
        g_assert_cmpuint(spread->len, ==, 64);
        cpu_spread_add(spread, "flag0", false, 7);
        cpu_spread_add(spread, "flag0", false, 3);
        cpu_spread_add(spread, "flag0", false, G_MAXUINT);
        g_autofree char *text = cpu_odd_processors(g_ptr_array_index(spread, 0));
        g_assert_cmpstr(text, ==, "7, 3, 4294967295");
}

static void test_machine(void) {
        g_autoptr(Root) root = root_new("/", NULL, NULL);
        g_autoptr(CpuFacts) facts = cpu_facts_read(root);
#if defined(__x86_64__) || defined(__i386__)
        unsigned a = 0, b = 0, c = 0, d = 0;

        g_assert_true(__get_cpuid(1, &a, &b, &c, &d));
        g_assert_cmphex(cpuid_find(facts->cpuid, 1)->registers[CPU_EAX], ==, a);
        g_assert_cmphex(cpuid_find(facts->cpuid, 1)->registers[CPU_ECX] & 0x80000020, ==, c & 0x80000020);
        g_assert_true(__get_cpuid(0x80000001, &a, &b, &c, &d));
        g_assert_cmphex(cpuid_find(facts->cpuid, 0x80000001)->registers[CPU_ECX], ==, c);
#else
        g_assert_null(facts->cpuid);
#endif
}

int main(int argc, char *argv[]) {
        static const struct {
                const char *name;
                void (*run)(Tree *tree, gconstpointer data);
        } tests[] = {
                        {"nothing", test_nothing},         {"tree", test_tree},       {"child", test_child},
                        {"wrong-lines", test_wrong_lines}, {"garbage", test_garbage}, {"bounds", test_bounds},
        };

        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
                g_autofree char *path = g_strconcat("/cpu-facts/", tests[i].name, NULL);
                g_test_add(path, Tree, NULL, tree_set_up, tests[i].run, tree_tear_down);
        }
        g_test_add_func("/cpu-facts/spread", test_spread);
        g_test_add_func("/cpu-facts/machine", test_machine);
        return g_test_run();
}
