/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the child has found out of the CPU, and what a tree says of one: three files, the parts of
 * the input. What was read, printed in the child's way, is read back. */

#include <string.h>

#include "cpu-facts.h"
#include "cpu-spread.h"
#include "fuzz.h"

#define ENTRIES_MAX 512U

static void print_msrs(GString *text, const char *heading, const GArray *msrs) {
        if (!msrs)
                return;
        g_assert_cmpuint(msrs->len, <=, ENTRIES_MAX);
        g_string_append_printf(text, "%s\nCPU 0:\n", heading);
        for (unsigned i = 0; i < msrs->len; i++) {
                const CpuMsr *msr = &g_array_index(msrs, CpuMsr, i);
                g_assert_true(msr_find(msrs, msr->address) == msr);
                g_string_append_printf(text, "0x%x 0x%016" G_GINT64_MODIFIER "x\n", msr->address, msr->value);
        }
}

static void print_leaves(GString *text, const char *heading, const GArray *leaves) {
        if (!leaves)
                return;
        g_assert_cmpuint(leaves->len, <=, ENTRIES_MAX);
        g_string_append_printf(text, "%s\nCPU 0:\n", heading);
        for (unsigned i = 0; i < leaves->len; i++) {
                const CpuidLeaf *leaf = &g_array_index(leaves, CpuidLeaf, i);
                g_string_append_printf(text, "   0x%08x 0x%02x: eax=0x%x ebx=0x%x ecx=0x%x edx=0x%x\n", leaf->leaf,
                                       leaf->subleaf, leaf->registers[CPU_EAX], leaf->registers[CPU_EBX],
                                       leaf->registers[CPU_ECX], leaf->registers[CPU_EDX]);
        }
}

static char *print(const CpuFacts *facts) {
        GString *text = g_string_new(NULL);

        print_msrs(text, "msr:", facts->msr);
        print_msrs(text, "kvm-msr:", facts->kvm_msr);
        print_msrs(text, "kvm-cap:", facts->kvm_cap);
        print_leaves(text, "kvm-cpuid:", facts->kvm_cpuid);
        return g_string_free(text, FALSE);
}

static char *print_cpuid(const CpuFacts *facts) {
        GString *text = g_string_new(NULL);

        print_leaves(text, "", facts->cpuid);
        return g_string_free(text, FALSE);
}

static void check_read_back(const CpuFacts *facts) {
        g_autofree char *text = print(facts), *cpuid = print_cpuid(facts);

        fuzz_write(CPU_FACTS_PATH, text, strlen(text));
        fuzz_write("facts/cpuid", cpuid, strlen(cpuid));
        fuzz_write("facts/msr", "", 0);
        g_autoptr(CpuFacts) again = cpu_facts_read(fuzz_root());
        g_autofree char *text_again = print(again), *cpuid_again = print_cpuid(again);
        g_assert_true(!facts->msr || again->msr);
        g_assert_cmpstr(text, ==, text_again);
        g_assert_cmpstr(cpuid, ==, cpuid_again);
        g_assert_cmpuint(again->spread->len, ==, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const paths[] = {CPU_FACTS_PATH, "facts/cpuid", "facts/msr"};

        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
                size_t length;
                g_autofree char *text = fuzz_take(&data, &size, &length);
                fuzz_write(paths[i], text, length);
        }
        g_autoptr(CpuFacts) facts = cpu_facts_read(fuzz_root());
        for (unsigned i = 0; i < facts->spread->len; i++) {
                const CpuOdd *odd = g_ptr_array_index(facts->spread, i);
                g_autofree char *processors = cpu_odd_processors(odd);
                fuzz_assert_line(odd->what);
                fuzz_assert_line(processors);
        }
        check_read_back(facts);
        return 0;
}
