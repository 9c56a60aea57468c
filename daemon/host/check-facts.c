/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reads what is around KVM. It must not judge it: that is for the rules of the findings. */

#include <string.h>

#include "check-facts.h"
#include "device-node.h"
#include "group.h"
#include "lockdown.h"
#include "module-folder.h"
#include "outer-hypervisor.h"

/* The list of a distribution's modules has less than one megabyte. */
#define MODULES_DEP_MAX ((size_t) 8 * 1024 * 1024)
#define KERNELS_MAX 64U

static char *read_line(const Root *root, const char *path) {
        return root_read_line(root, path) ?: g_strdup("");
}

static char *find_unsigned(const Host *host) {
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                g_autofree char *path = g_build_filename("sys/module", module->name, "taint", NULL);
                g_autofree char *taint = module->state == MODULE_LIVE ? root_read_line(host->root, path) : NULL;
                if (taint && strchr(taint, 'E'))
                        return g_strdup(module->name);
        }
        return NULL;
}

static int compare_releases(gconstpointer a, gconstpointer b) {
        return strverscmp(*(const char *const *) a, *(const char *const *) b);
}

/* Folders without a list of modules are what an uninstalled kernel leaves behind. */
static GStrv find_kernels(const Host *host) {
        g_autoptr(GPtrArray) found = g_ptr_array_new();

        for (const char *const *folder = module_folders; *folder && found->len == 0; folder++) {
                g_auto(GStrv) names = root_list(host->root, *folder);
                for (char **name = names; *name && found->len < KERNELS_MAX; name++) {
                        g_autofree char *dep = g_build_filename(*folder, *name, "modules.dep", NULL);
                        if (!g_str_equal(*name, host->release) && root_exists(host->root, dep))
                                g_ptr_array_add(found, g_utf8_make_valid(*name, -1));
                }
        }
        g_ptr_array_sort(found, compare_releases);
        g_ptr_array_add(found, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

static char *find_package(const Host *host) {
        g_autofree char *package = g_strconcat("linux-image-", host->release, NULL);
        g_autofree char *list = g_strconcat("var/lib/dpkg/info/", package, ".list", NULL);

        return *host->release && root_exists(host->root, list) ? g_steal_pointer(&package) : NULL;
}

static char *read_modules_dep(const Host *host) {
        g_autofree char *folder = module_folder_find(host->root, host->release);
        g_autofree char *path = folder ? g_build_filename(folder, "modules.dep", NULL) : NULL;
        char *text = NULL;
        size_t size;

        return path && root_read(host->root, path, MODULES_DEP_MAX, &text, &size, NULL) ? text : g_strdup("");
}

static void find_others(CheckFacts *facts, const Host *host) {
        static const char *const others[] = {"vboxdrv", "vmmon"};
        g_autoptr(GPtrArray) loaded = g_ptr_array_new(), installed = g_ptr_array_new();
        g_autofree char *dep = read_modules_dep(host);

        for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
                g_autofree char *folder = g_build_filename("sys/module", others[i], NULL);
                g_autofree char *file = g_strconcat("/", others[i], ".ko", NULL);
                if (root_exists(host->root, folder))
                        g_ptr_array_add(loaded, g_strdup(others[i]));
                else if (strstr(dep, file))
                        g_ptr_array_add(installed, g_strdup(others[i]));
        }
        g_ptr_array_add(loaded, NULL);
        g_ptr_array_add(installed, NULL);
        facts->loaded_others = (GStrv) g_ptr_array_free(g_steal_pointer(&loaded), FALSE);
        facts->installed_others = (GStrv) g_ptr_array_free(g_steal_pointer(&installed), FALSE);
}

static void read_node(CheckFacts *facts, const Host *host) {
        facts->has_node = root_stat_device(host->root, "kvm", &facts->node) >= 0 && !node_is_wrong(&facts->node);
        facts->kvm_group = group_find(host->root, NODE_GROUP);
}

CheckFacts *check_facts_read(const Host *host) {
        const Module *module = host_vendor_module(host);
        CheckFacts *facts = g_new0(CheckFacts, 1);
        fault_watch();
        g_autofree char *enforced = read_line(host->root, "sys/module/module/parameters/sig_enforce");
        g_autofree char *vendor = root_read_line(host->root, "sys/class/dmi/id/sys_vendor");
        g_autofree char *tag = root_read_line(host->root, "sys/class/dmi/id/chassis_asset_tag");

        facts->lockdown = lockdown_read(host->root);
        facts->signed_only = *facts->lockdown || g_str_equal(enforced, "Y");
        facts->unsigned_module = find_unsigned(host);
        facts->other_kernels = find_kernels(host);
        find_others(facts, host);
        facts->itlb_multihit = read_line(host->root, "sys/devices/system/cpu/vulnerabilities/itlb_multihit");
        facts->l1tf = read_line(host->root, "sys/devices/system/cpu/vulnerabilities/l1tf");
        facts->platform = host->cpu->level == 0                    ? NULL
                          : outer_hypervisor_is_wsl(host->release) ? "WSL"
                                                                   : outer_hypervisor_platform(vendor, tag);
        facts->kernel_package = find_package(host);
        read_node(facts, host);
        facts->initramfs = initramfs_read(host->root, host->release, module ? module->name : NULL, host->options);
        facts->written = dropin_read(host->root, DROPIN_WRITTEN_PATH, NULL) ?: dropin_parse("");
        facts->strays = stray_read(host->root, module ? module->name : NULL);
        facts->fault = fault_found();
        return facts;
}

void check_facts_free(CheckFacts *facts) {
        if (!facts)
                return;
        g_clear_pointer(&facts->fault, fault_free);
        g_free(facts->lockdown);
        g_free(facts->unsigned_module);
        g_free(facts->kernel_package);
        g_clear_pointer(&facts->guests_unasked, g_ptr_array_unref);
        g_strfreev(facts->other_kernels);
        g_strfreev(facts->loaded_others);
        g_strfreev(facts->installed_others);
        g_free(facts->itlb_multihit);
        g_free(facts->l1tf);
        g_clear_pointer(&facts->initramfs, initramfs_free);
        g_clear_pointer(&facts->written, dropin_free);
        g_clear_pointer(&facts->strays, g_ptr_array_unref);
        g_free(facts);
}
