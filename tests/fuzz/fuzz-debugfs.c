/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* KVM's counters of two machines in debugfs and the command lines of their processes, the parts of
 * the input. A counter is the number that its file says; a guest is believed when one process alone
 * says to be it. */

#include <string.h>

#include "fuzz.h"
#include "qemu.h"
#include "statistics.h"
#include "vm-folders.h"

#define UUID "11111111-2222-3333-4444-555555555555"

static const char *const paths[] = {
                "proc/7/cmdline",
                "proc/8/cmdline",
                VM_FOLDERS_PATH "/7-3/exits",
                VM_FOLDERS_PATH "/8-3/exits",
                VM_FOLDERS_PATH "/8-3/nested_run",
                VM_FOLDERS_PATH "/8-3/vcpu0",
};

static void check_counters(const VmStatistics *vm, char *const *texts) {
        for (unsigned i = 0; i < vm->counters->len; i++) {
                const Counter *counter = g_ptr_array_index(vm->counters, i);
                g_autofree char *path = g_build_filename(VM_FOLDERS_PATH, vm->machine, counter->name, NULL);
                for (gsize j = 0; j < G_N_ELEMENTS(paths); j++) {
                        guint64 value;
                        if (!g_str_equal(paths[j], path))
                                continue;
                        g_assert_true(g_ascii_string_to_unsigned(g_strchomp(texts[j]), 10, 0, G_MAXUINT64, &value,
                                                                 NULL));
                        g_assert_cmpuint(value, ==, counter->value);
                }
                g_assert_cmpstr(counter->name, !=, "vcpu0");
        }
        g_assert_cmpuint(vm->withheld->len, ==, 0);
}

static void check_claims(const Statistics *statistics) {
        g_autofree char *first = qemu_read_uuid(fuzz_root(), "7"), *second = qemu_read_uuid(fuzz_root(), "8");
        const bool by_first = g_str_equal(first, UUID), by_second = g_str_equal(second, UUID);
        const char *machine = by_first == by_second ? NULL : by_first ? "7-3" : "8-3";
        bool found = false;

        for (unsigned i = 0; i < statistics->vms->len; i++) {
                const VmStatistics *vm = g_ptr_array_index(statistics->vms, i);
                if (g_str_equal(vm->name, UUID)) {
                        g_assert_cmpstr(vm->machine, ==, machine);
                        found = true;
                } else
                        g_assert_cmpstr(vm->machine, !=, machine);
        }
        g_assert_true(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autoptr(GHashTable) guests = g_hash_table_new(g_str_hash, g_str_equal);
        static const char *const all[] = {NULL};
        char *texts[G_N_ELEMENTS(paths)];
        g_autoptr(GError) error = NULL;

        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
                size_t length;
                texts[i] = fuzz_take(&data, &size, &length);
                fuzz_write(paths[i], texts[i], length);
        }
        (void) g_hash_table_add(guests, (gpointer) UUID);
        g_autoptr(Statistics) statistics = statistics_read(fuzz_root(), guests, all, &error);
        g_assert_no_error(error);
        for (unsigned i = 0; i < statistics->vms->len; i++) {
                const VmStatistics *vm = g_ptr_array_index(statistics->vms, i);
                if (vm->machine)
                        check_counters(vm, texts);
        }
        check_claims(statistics);
        for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
                g_free(texts[i]);
        return 0;
}
