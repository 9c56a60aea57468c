/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at names of folders and at command lines. It reads no counter. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "qemu.h"
#include "vm-folders.h"

#define DEBUGFS_PATH "sys/kernel/debug"

static bool is_number(const char *text) {
        return *text && text[strspn(text, "0123456789")] == 0;
}

bool vm_folder_is(const char *name) {
        const char *dash = strchr(name, '-');
        g_autofree char *pid = dash ? g_strndup(name, (gsize) (dash - name)) : NULL;

        return pid && is_number(pid) && is_number(dash + 1);
}

static void set_unreachable(const Root *root, int errnum, GError **error) {
        g_auto(GStrv) others = root_list(root, DEBUGFS_PATH);

        if (errnum == -EPERM || errnum == -EACCES)
                g_set_error_literal(error, CONDITION, CONDITION_NOT_PERMITTED,
                                    "KVM's counters can't be read: the kernel does not let even root look into "
                                    "/" VM_FOLDERS_PATH);
        else if (!root_exists(root, DEBUGFS_PATH))
                g_set_error_literal(error, CONDITION, CONDITION_UNSUPPORTED,
                                    "KVM's counters can't be read: this kernel has no debugfs (/" DEBUGFS_PATH ")");
        else if (!*others)
                g_set_error_literal(
                                error, CONDITION, CONDITION_UNSUPPORTED,
                                "KVM's counters can't be read: debugfs is not mounted. To mount it: mount -t debugfs "
                                "debugfs /" DEBUGFS_PATH);
}

GStrv vm_folders_list(const Root *root, GError **unreachable) {
        int fd = root_open(root, VM_FOLDERS_PATH, O_RDONLY | O_DIRECTORY);

        if (fd < 0)
                set_unreachable(root, fd, unreachable);
        else
                (void) close(fd);
        return *unreachable ? g_new0(char *, 1) : root_list(root, VM_FOLDERS_PATH);
}

GHashTable *vm_folders_claims(const Root *root, const GStrv folders, GHashTable *guests) {
        GHashTable *claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

        if (g_hash_table_size(guests) == 0)
                return claims;
        for (char **folder = folders; *folder; folder++) {
                g_autofree char *pid = g_strndup(*folder, strcspn(*folder, "-"));
                g_autofree char *uuid = vm_folder_is(*folder) ? qemu_read_uuid(root, pid) : NULL;
                if (!uuid || !g_hash_table_contains(guests, uuid))
                        continue;
                const bool again = g_hash_table_contains(claims, uuid);
                (void) g_hash_table_replace(claims, g_steal_pointer(&uuid), g_strdup(again ? "" : *folder));
        }
        return claims;
}
