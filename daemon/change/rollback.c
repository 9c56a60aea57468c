/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The undoing of a change. It must not decide whether one is undone. */

#include "error.h"
#include "journal.h"
#include "plan-files.h"
#include "rollback.h"

/* What was staged goes last: as long as the journal may still say "proven", a start would finish
 * with it. */
bool rollback_run(Reload *reload, bool whole, GError **error) {
        const Plan *plan = reload->plan;
        const Root *root = reload->root;
        GPtrArray *steps = reload->steps;

        bool ok = reload_undo(reload, error);
        ok = plan_files_restore(plan->files, root, steps, ok ? error : NULL) && ok;
        ok = plan_files_restore(plan->records, root, steps, ok ? error : NULL) && ok;
        ok = ok && whole && journal_clear(root, error);
        if (!ok && !journal_write(root, plan, JOURNAL_DEGRADED, NULL))
                return false;
        (void) plan_files_discard(plan->files, root, NULL);
        (void) plan_files_discard(plan->records, root, NULL);
        return ok;
}

GError *rollback_degraded(const Plan *plan, const Root *root, const char *cause, const GError *failed) {
        const char *module = plan->vendor ?: "kvm";
        g_autofree char *folder = g_build_filename("sys/module", module, NULL);
        g_autofree char *load = g_strconcat("modprobe ", module, NULL);

        /* A module that is there is not loaded again; the daemon tries to put everything back
         * whenever it starts. */
        return g_error_new(CONDITION, CONDITION_HOST_DEGRADED,
                           "\"%s\" %s, and the host could not be put back as it was (%s). See what there is with "
                           "\"nestvirtctl status\", then run: %s",
                           plan->title, cause, failed->message,
                           root_exists(root, folder) ? "systemctl restart nestvirtd.service" : load);
}
