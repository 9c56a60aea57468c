/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads KVM's folders in debugfs. It must not open a counter for writing, which would clear it, and must not know which counter means what. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "lockdown.h"
#include "statistics.h"

#define DEBUGFS_PATH "sys/kernel/debug"
#define COUNTERS_MAX 512U
/* A number and a newline. */
#define COUNTER_MAX ((size_t) 64)

static void counter_free(Counter *counter) {
        g_free(counter->name);
        g_free(counter);
}

void vm_statistics_free(VmStatistics *vm) {
        if (!vm)
                return;
        g_free(vm->name);
        g_ptr_array_unref(vm->counters);
        g_ptr_array_unref(vm->withheld);
        g_free(vm->reason);
        g_free(vm);
}

static bool is_number(const char *text) {
        return *text && text[strspn(text, "0123456789")] == 0;
}

static bool is_vm(const char *name) {
        const char *dash = strchr(name, '-');
        g_autofree char *pid = dash ? g_strndup(name, (gsize) (dash - name)) : NULL;

        return pid && is_number(pid) && is_number(dash + 1);
}

/* What is no counter of the whole machine: the virtual CPUs' folders; a table for which KVM walks all of the guest's memory under its lock
 * (arch/x86/kvm/debugfs.c); and of histograms debugfs shows the first column alone. */
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
        Counter *counter = g_new(Counter, 1);
        *counter = (Counter) {.name = g_strdup(name), .value = value};
        g_ptr_array_add(vm->counters, counter);
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

/* NULL when it has ended meanwhile. */
static VmStatistics *read_vm(const Root *root, const char *name) {
        g_autofree char *folder = g_build_filename(STATISTICS_PATH, name, NULL);
        g_auto(GStrv) files = root_list(root, folder);
        VmStatistics *vm = g_new(VmStatistics, 1);

        *vm = (VmStatistics) {
                        .name = g_strdup(name),
                        .counters = g_ptr_array_new_with_free_func((GDestroyNotify) counter_free),
                        .withheld = g_ptr_array_new_with_free_func(g_free),
        };
        for (unsigned i = 0; files[i] && i < COUNTERS_MAX; i++)
                if (g_utf8_validate(files[i], -1, NULL) && !is_other(files[i]))
                        read_counter(root, folder, files[i], vm);
        vm->reason = vm->withheld->len > 0 ? say_withheld(root) : g_strdup("");
        if (vm->counters->len > 0 || vm->withheld->len > 0)
                return vm;
        vm_statistics_free(vm);
        return NULL;
}

static void set_unreachable(const Root *root, int errnum, GError **error) {
        g_auto(GStrv) others = root_list(root, DEBUGFS_PATH);

        if (errnum == -EPERM || errnum == -EACCES)
                g_set_error_literal(error, CONDITION, CONDITION_NOT_PERMITTED,
                                    "KVM's counters can't be read: the kernel does not let even root look into "
                                    "/" STATISTICS_PATH);
        else if (!root_exists(root, DEBUGFS_PATH))
                g_set_error_literal(error, CONDITION, CONDITION_UNSUPPORTED,
                                    "KVM's counters can't be read: this kernel has no debugfs (/" DEBUGFS_PATH ")");
        else if (!*others)
                g_set_error_literal(
                                error, CONDITION, CONDITION_UNSUPPORTED,
                                "KVM's counters can't be read: debugfs is not mounted. To mount it: mount -t debugfs "
                                "debugfs /" DEBUGFS_PATH);
}

/* The folders of virtual machines; NULL and @error when KVM's folder can't be reached. Without KVM there are none. */
static GStrv list_vms(const Root *root, GError **error) {
        int fd = root_open(root, STATISTICS_PATH, O_RDONLY | O_DIRECTORY);
        g_autoptr(GError) unreachable = NULL;

        if (fd < 0)
                set_unreachable(root, fd, &unreachable);
        else
                (void) close(fd);
        if (unreachable) {
                g_propagate_error(error, g_steal_pointer(&unreachable));
                return NULL;
        }
        return root_list(root, STATISTICS_PATH);
}

static bool are_there(const char *const *names, const char *const *there, GError **error) {
        for (; *names; names++)
                if (!is_vm(*names) || !g_strv_contains(there, *names)) {
                        g_autofree char *name = error_quote(*names);
                        g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST, "No virtual machine %s runs now", name);
                        return false;
                }
        return true;
}

/* Those of @there that are machines and meant. */
static GPtrArray *choose(const GStrv there, const char *const *names, GError **error) {
        g_autoptr(GPtrArray) chosen = g_ptr_array_new();

        for (char **name = there; *name; name++)
                if (is_vm(*name) && (!*names || g_strv_contains(names, *name)))
                        g_ptr_array_add(chosen, *name);
        if (chosen->len <= STATISTICS_MAX)
                return g_steal_pointer(&chosen);
        g_set_error(error, CONDITION, CONDITION_LIMITS_EXCEEDED,
                    "More than %u virtual machines run: name those that are meant", STATISTICS_MAX);
        return NULL;
}

GPtrArray *statistics_read(const Root *root, const char *const *names, GError **error) {
        g_autoptr(GPtrArray) vms = g_ptr_array_new_with_free_func((GDestroyNotify) vm_statistics_free);
        g_auto(GStrv) there = list_vms(root, error);

        if (!there || !are_there(names, (const char *const *) there, error))
                return NULL;
        g_autoptr(GPtrArray) chosen = choose(there, names, error);
        for (unsigned i = 0; chosen && i < chosen->len; i++) {
                VmStatistics *vm = read_vm(root, g_ptr_array_index(chosen, i));
                if (vm)
                        g_ptr_array_add(vms, vm);
        }
        return chosen ? g_steal_pointer(&vms) : NULL;
}
