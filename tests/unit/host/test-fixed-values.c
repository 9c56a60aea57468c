/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What of a loaded KVM its offer to guests rests on, and the words for what is otherwise. */

#include "fixed-values.h"
#include "made-host.h"

typedef struct Row {
        const char *loaded, *expected;
} Row;

/* clang-format off */
static const Row rows[] = {
        { "kvm.enable_pmu=Y kvm.ignore_msrs+=N kvm_amd.nested=1 kvm_amd.npt=Y kvm_amd.avic=N",
          "kvm.enable_pmu=Y\nkvm_amd.avic=N\nkvm_amd.npt=Y\n" },
        { "kvm.enable_pmu=Y kvm_amd.nested=1", "kvm.enable_pmu=Y\n" },
        { "kvm.enable_pmu=Y", NULL },  /* the vendor's module is not there */
};
/* clang-format on */

static void test_row(gconstpointer data) {
        const Row *row = data;
        const MadeHost made = {.loaded = row->loaded};
        g_autoptr(Host) host = made_host(&made);
        g_autofree char *values = fixed_values(host);

        g_assert_cmpstr(values, ==, row->expected);
}

static void assert_compared(const char *before, const char *now, const char *expected) {
        g_autofree char *text = fixed_values_compare(before, now);

        g_assert_cmpstr(text, ==, expected);
}

static void test_compare(void) {
        assert_compared("a.x=1\nb.y=N\n", "a.x=1\nb.y=Y\n", "b.y was N and is Y");
        assert_compared("b.y=1\na.x=1\n", "a.x=0\nb.y=\n", "a.x was 1 and is 0, b.y was 1 and is ");
        /* Another kernel, or a record that says nothing. */
        assert_compared("a.x=1\n", "a.y=1\n", "KVM has other parameters than before");
        assert_compared("what", "a.y=1\n", "KVM has other parameters than before");
        assert_compared("a.a=1\na.b=1\na.c=1\na.d=1\na.e=1\na.f=1\na.g=1\na.h=1\n",
                        "a.a=0\na.b=0\na.c=0\na.d=0\na.e=0\na.f=0\na.g=0\na.h=0\n",
                        "a.a was 1 and is 0, a.b was 1 and is 0, a.c was 1 and is 0, a.d was 1 and is 0, "
                        "a.e was 1 and is 0, a.f was 1 and is 0 and 2 more");
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_strdup_printf("/fixed-values/%u", i);
                g_test_add_data_func(path, &rows[i], test_row);
        }
        g_test_add_func("/fixed-values/compare", test_compare);
        return g_test_run();
}
