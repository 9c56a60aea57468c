/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads KVM's folders in debugfs. It must not open a counter for writing, which would clear it,
 * must not know which counter means what, and asks nobody but the kernel. */

#include <string.h>

#include "error.h"
#include "lockdown.h"
#include "statistics.h"
#include "users.h"
#include "vm-folders.h"

#define COUNTERS_MAX 512U
/* A number and a newline. */
#define COUNTER_MAX ((size_t) 64)

static void counter_free(Counter *counter) {
        g_free(counter->name);
        g_free(counter);
}

void vm_statistics_free(VmStatistics *vm) {
        g_free(vm->name);
        g_free(vm->machine);
        g_ptr_array_unref(vm->counters);
        g_ptr_array_unref(vm->withheld);
        g_free(vm->reason);
        g_free(vm);
}

static VmStatistics *vm_new(const char *name, const char *machine) {
        VmStatistics *vm = g_new(VmStatistics, 1);

        *vm = (VmStatistics) {
                        .name = g_strdup(name),
                        .machine = g_strdup(machine),
                        .counters = g_ptr_array_new_with_free_func((GDestroyNotify) counter_free),
                        .withheld = g_ptr_array_new_with_free_func(g_free),
                        .reason = g_strdup(""),
        };
        return vm;
}

static bool vm_is_empty(const VmStatistics *vm) {
        return vm->counters->len == 0 && vm->withheld->len == 0;
}

/* Others have the name of their folder. */
static bool vm_is_guest(const VmStatistics *vm) {
        return g_strcmp0(vm->name, vm->machine) != 0;
}

static void vm_add(const VmStatistics *vm, const char *name, guint64 value) {
        Counter *counter = g_new(Counter, 1);

        *counter = (Counter) {.name = g_strdup(name), .value = value};
        g_ptr_array_add(vm->counters, counter);
}

void statistics_free(Statistics *statistics) {
        if (!statistics)
                return;
        g_ptr_array_unref(statistics->vms);
        g_strfreev(statistics->names);
        g_clear_error(&statistics->unreachable);
        g_free(statistics);
}

/* What is no counter of the whole machine: the virtual CPUs' folders; a table for which KVM walks
 * all of the guest's memory under its lock (arch/x86/kvm/debugfs.c); and of histograms debugfs
 * shows the first column alone. */
static bool is_other(const char *name) {
        return g_str_has_prefix(name, "vcpu") || g_str_equal(name, "mmu_rmaps_stat") || g_str_has_suffix(name, "_hist");
}

static void read_counter(const Root *root, const char *folder, const char *name, VmStatistics *vm) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
        g_autoptr(GError) error = NULL;
        guint64 value;

        if (!root_read(root, path, COUNTER_MAX, &text, NULL, &error)) {
                if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_PERM) ||
                    g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES))
                        g_ptr_array_add(vm->withheld, g_strdup(name));
                return;
        }
        if (!g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT64, &value, NULL))
                return;
        vm_add(vm, name, value);
}

/* fs/debugfs/file.c, debugfs_locked_down(): only what nobody can write is still shown. */
static char *say_withheld(const Root *root) {
        g_autofree char *level = lockdown_read(root);

        if (*level)
                return g_strdup_printf("The kernel is locked down (/" LOCKDOWN_PATH
                                       ": %s): of KVM's counters even root may read only those that can't be cleared",
                                       level);
        return g_strdup("The kernel, or a security module, does not let nestvirtd read them");
}

static void read_vm(const Root *root, VmStatistics *vm) {
        g_autofree char *folder = g_build_filename(VM_FOLDERS_PATH, vm->machine, NULL);
        g_auto(GStrv) files = root_list(root, folder);

        for (unsigned i = 0; files[i] && i < COUNTERS_MAX; i++)
                if (g_utf8_validate(files[i], -1, NULL) && !is_other(files[i]))
                        read_counter(root, folder, files[i], vm);
        if (vm->withheld->len > 0) {
                g_free(vm->reason);
                vm->reason = say_withheld(root);
        }
}

static void read_owner(const Root *root, VmStatistics *vm) {
        g_autofree char *pid = g_strndup(vm->machine, strcspn(vm->machine, "-"));

        vm->has_uid = user_read_uid(root, pid, &vm->uid);
}

static bool is_meant(const Statistics *statistics, const char *name) {
        const char *const *names = (const char *const *) statistics->names;

        return !*names || (name && g_strv_contains(names, name));
}

/* Folders with a name of their own, and guests with or without a folder: without counters for
 * now. */
static void choose(Statistics *statistics, const GStrv folders, GHashTable *guests, GHashTable *claims) {
        g_autoptr(GHashTable) believed = g_hash_table_new(g_str_hash, g_str_equal);
        GHashTableIter iter;
        gpointer uuid;

        g_hash_table_iter_init(&iter, guests);
        while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
                const char *claim = g_hash_table_lookup(claims, uuid), *folder = claim && *claim ? claim : NULL;
                if (folder)
                        (void) g_hash_table_add(believed, (gpointer) folder);
                if (is_meant(statistics, uuid) || (folder && is_meant(statistics, folder)))
                        g_ptr_array_add(statistics->vms, vm_new(uuid, folder));
        }
        for (char **folder = folders; *folder; folder++)
                if (vm_folder_is(*folder) && !g_hash_table_contains(believed, *folder) && is_meant(statistics, *folder))
                        g_ptr_array_add(statistics->vms, vm_new(*folder, *folder));
}

static bool refuse_name(const char *word, GError **error) {
        g_autofree char *name = error_quote(word);

        g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST, "No virtual machine %s runs now", name);
        return false;
}

static bool are_there(const Statistics *statistics, const GStrv folders, GHashTable *guests, GError **error) {
        const char *const *there = (const char *const *) folders;
        bool reached = !statistics->unreachable || *statistics->names || g_hash_table_size(guests) > 0;

        for (char **name = statistics->names; *name && reached; name++)
                if (g_hash_table_contains(guests, *name))
                        continue;
                else if (statistics->unreachable)
                        reached = false;
                else if (!vm_folder_is(*name) || !g_strv_contains(there, *name))
                        return refuse_name(*name, error);
        if (!reached)
                g_propagate_error(error, g_error_copy(statistics->unreachable));
        return reached;
}

static int compare_vms(gconstpointer a, gconstpointer b) {
        return strcmp((*(VmStatistics *const *) a)->name, (*(VmStatistics *const *) b)->name);
}

Statistics *statistics_read(const Root *root, GHashTable *guests, const char *const *names, GError **error) {
        g_autoptr(Statistics) statistics = g_new(Statistics, 1);

        *statistics = (Statistics) {.vms = g_ptr_array_new_with_free_func((GDestroyNotify) vm_statistics_free),
                                    .names = g_strdupv((GStrv) names)};
        g_auto(GStrv) folders = vm_folders_list(root, &statistics->unreachable);
        if (!are_there(statistics, folders, guests, error))
                return NULL;
        g_autoptr(GHashTable) claims = vm_folders_claims(root, folders, guests);
        choose(statistics, folders, guests, claims);
        if (statistics->vms->len > STATISTICS_MAX) {
                g_set_error(error, CONDITION, CONDITION_LIMITS_EXCEEDED,
                            "More than %u virtual machines run: name those that are meant", STATISTICS_MAX);
                return NULL;
        }
        for (unsigned i = statistics->vms->len; i > 0; i--) {
                VmStatistics *vm = g_ptr_array_index(statistics->vms, i - 1);
                if (vm->machine) {
                        read_owner(root, vm);
                        read_vm(root, vm);
                }
                /* It has ended meanwhile. */
                if (vm_is_empty(vm) && !vm_is_guest(vm))
                        g_ptr_array_remove_index(statistics->vms, i - 1);
        }
        g_ptr_array_sort(statistics->vms, compare_vms);
        return g_steal_pointer(&statistics);
}

/* What debugfs lacks */

static bool vm_lacks(const VmStatistics *vm) {
        return vm_is_guest(vm) && (vm->withheld->len > 0 || vm_is_empty(vm));
}

GPtrArray *statistics_lacking(const Statistics *statistics) {
        GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);

        for (unsigned i = 0; i < statistics->vms->len; i++) {
                const VmStatistics *vm = g_ptr_array_index(statistics->vms, i);
                if (vm_lacks(vm))
                        g_ptr_array_add(uuids, g_strdup(vm->name));
        }
        return uuids;
}

static int compare_counters(gconstpointer a, gconstpointer b) {
        return strcmp((*(Counter *const *) a)->name, (*(Counter *const *) b)->name);
}

static bool has_counter(const VmStatistics *vm, const char *name) {
        for (unsigned i = 0; i < vm->counters->len; i++)
                if (g_str_equal(((const Counter *) g_ptr_array_index(vm->counters, i))->name, name))
                        return true;
        return false;
}

static void fill(const VmStatistics *vm, GHashTable *counters) {
        GHashTableIter iter;
        gpointer name, value;
        unsigned i;

        g_hash_table_iter_init(&iter, counters);
        while (g_hash_table_iter_next(&iter, &name, &value)) {
                if (is_other(name) || has_counter(vm, name))
                        continue;
                vm_add(vm, name, *(const guint64 *) value);
                if (g_ptr_array_find_with_equal_func(vm->withheld, name, g_str_equal, &i))
                        g_ptr_array_remove_index(vm->withheld, i);
        }
        g_ptr_array_sort(vm->counters, compare_counters);
}

static void explain(VmStatistics *vm, const GError *problem) {
        g_autofree char *reason = g_steal_pointer(&vm->reason);

        if (vm->withheld->len == 0)
                vm->reason = g_strdup("");
        else
                vm->reason = g_strdup_printf("%s. Nor does libvirt tell them%s%s", reason, problem ? ": " : "",
                                             problem ? problem->message : "");
}

/* Nothing is known of @name, which may be one of several. */
static bool refuse_all(const Statistics *statistics, const char *name, const GError *problem, GError **error) {
        const GError *unreachable = statistics->unreachable;

        if (!unreachable && !problem)
                return refuse_name(name, error);
        if (!unreachable)
                g_propagate_error(error, g_error_copy(problem));
        else
                /* A command to type is its end. */
                g_set_error(error, CONDITION,
                            g_error_matches(problem, CONDITION, CONDITION_TIMED_OUT) ? CONDITION_TIMED_OUT
                                                                                     : unreachable->code,
                            "%s. %s", problem ? problem->message : "libvirt has no such counters",
                            unreachable->message);
        return false;
}

bool statistics_complete(Statistics *statistics, GHashTable *counters, const GError *problem, GError **error) {
        g_autofree char *unknown = NULL;

        for (unsigned i = statistics->vms->len; i > 0; i--) {
                VmStatistics *vm = g_ptr_array_index(statistics->vms, i - 1);
                GHashTable *own = counters ? g_hash_table_lookup(counters, vm->name) : NULL;
                if (!vm_lacks(vm))
                        continue;
                if (own)
                        fill(vm, own);
                explain(vm, problem);
                if (vm_is_empty(vm)) {
                        g_free(unknown);
                        unknown = g_strdup(vm->name);
                        g_ptr_array_remove_index(statistics->vms, i - 1);
                }
        }
        if (!unknown)
                return true;
        const bool silent = statistics->vms->len == 0 && (problem || statistics->unreachable);
        return (!*statistics->names && !silent) || refuse_all(statistics, unknown, problem, error);
}
