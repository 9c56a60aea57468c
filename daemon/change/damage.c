/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files and the load. It must not act on anything that such a journal says. */

#include <errno.h>

#include "damage.h"
#include "error.h"
#include "file.h"
#include "host.h"
#include "journal-phase.h"
#include "load-obstacle.h"
#include "load-options.h"

#define MEND "nestvirtctl reload"

static bool load(const Host *host, const Module *module, Loader *loader, GPtrArray *steps, GError **error) {
        g_autoptr(Request) nothing = request_new(0);
        g_autofree char *after = load_options_after(host, nothing, module);
        /* kvm, which it needs, has been there, or comes anew. */
        const Module *kvm = host_module(host, "kvm");
        const bool keeps = kvm && module_is_present(kvm);
        g_autofree char *kept = keeps ? load_options_kept(host, nothing, module) : g_strdup("");
        g_autofree char *options = load_options_join(after, kept);
        bool existed;

        if (!loader->load(loader, module->name, options, &existed, error))
                return false;
        g_ptr_array_add(steps, g_strdup_printf(*options ? "loaded %s with %s" : "loaded %s", module->name, options));
        return true;
}

/* What was switched off on purpose, or is loaded in another way, is left to whoever wrote that. */
static bool may_load(const Host *host, GError **error) {
        for (unsigned i = 0; i < host->modules->len; i++) {
                g_autofree char *told = NULL;
                if (load_obstacle_find(host, g_ptr_array_index(host->modules, i), &told) == OBSTACLE_NONE)
                        continue;
                g_set_error(error, CONDITION, CONDITION_UNSUPPORTED, "%s", told);
                return false;
        }
        return true;
}

/* kvm first, or it would come without its options as what the other one needs. */
static bool load_missing(const Root *root, Loader *loader, GPtrArray *steps, GError **error) {
        g_autoptr(Host) host = host_read((Root *) root, loader);
        const Module *vendor = host_vendor_module(host);

        if (!host_is_read(host, error))
                return false;
        if (!vendor || module_is_present(vendor))
                return true;
        if (!may_load(host, error))
                return false;
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                if (module->state == MODULE_LOADABLE && !load(host, module, loader, steps, error))
                        return false;
        }
        return true;
}

GError *damage_found(const Root *root, Loader *loader, const char *why, GPtrArray *steps) {
        g_autoptr(GError) failed = NULL;
        const bool aside = file_rename(root, JOURNAL_PATH, JOURNAL_DAMAGED_NAME, &failed);

        if (aside) {
                g_ptr_array_add(steps, g_strdup("kept the damaged record as /" JOURNAL_DAMAGED_PATH));
                (void) load_missing(root, loader, steps, &failed);
        }
        return g_error_new(CONDITION, CONDITION_HOST_DEGRADED,
                           "The record of a change that was cut short is damaged (/%s: %s), so that change is neither "
                           "undone nor finished%s%s. See what there is with \"nestvirtctl status\", then run: " MEND,
                           aside ? JOURNAL_DAMAGED_PATH : JOURNAL_PATH, why, failed ? ". " : "",
                           failed ? failed->message : "");
}

/* 1: there is one; 0; or a negative errno: that can't be told. */
static int look(const Root *root) {
        struct stat st;
        const int r = root_stat(root, JOURNAL_DAMAGED_PATH, &st);

        return r >= 0 ? 1 : r == -ENOENT ? 0 : r;
}

bool damage_allows(const Root *root, const Plan *plan, GError **error) {
        const int r = plan->settles ? 0 : look(root);

        if (r == 0)
                return true;
        if (r < 0)
                g_set_error(error, CONDITION, plan->pending ? CONDITION_BUSY : CONDITION_INTERNAL,
                            "Whether the record of an earlier change is damaged can't be told (/" JOURNAL_DAMAGED_PATH
                            ": %s), so nothing is changed. It may be mended by: " MEND,
                            g_strerror(-r));
        else
                g_set_error(error, CONDITION, plan->pending ? CONDITION_BUSY : CONDITION_HOST_DEGRADED,
                            "The record of a change that was cut short is damaged (/" JOURNAL_DAMAGED_PATH
                            "), so it is not known what that change has left. Changes are refused until all of KVM is "
                            "loaded anew: " MEND);
        return false;
}

bool damage_settle(const Root *root, const Plan *plan, GError **error) {
        g_autoptr(GError) failed = NULL;

        if (!plan->settles || look(root) == 0 ||
            file_rename(root, JOURNAL_DAMAGED_PATH, JOURNAL_SETTLED_NAME, &failed) ||
            g_error_matches(failed, G_FILE_ERROR, G_FILE_ERROR_NOENT))
                return true;
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
}
