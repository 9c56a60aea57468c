/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change that was cut short: the journal says what it was and how far it had come. Everything here can be cut short again and repeated. */

#include "error.h"
#include "journal.h"
#include "pending.h"
#include "plan-files.h"
#include "recover.h"
#include "reload.h"

static void G_GNUC_PRINTF(2, 3) recover_step(ChangeResult *result, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(result->steps, g_strdup_vprintf(format, args));
        va_end(args);
}

static bool is_same_boot(const Root *root, const Plan *plan) {
        g_autofree char *boot = root_read_line(root, "proc/sys/kernel/random/boot_id");

        return *plan->boot_id && g_strcmp0(boot, plan->boot_id) == 0;
}

/* The modules as they were before (or are to be after) the change, unless they are so already. */
static bool recover_modules(const Plan *plan, const Root *root, Loader *loader, bool after, GPtrArray *steps,
                            GError **error) {
        Reload reload = {.plan = plan, .root = root, .loader = loader, .steps = steps, .touched = true};

        if (reload_verify(root, plan, after, NULL))
                return true;
        return after ? reload_run(&reload, error) == RELOAD_DONE : reload_undo(&reload, error);
}

/* It waits no longer: what it would have configured is not there. */
static bool forget_pending(const Plan *plan, const Root *root, GError **error) {
        g_autoptr(Pending) pending = pending_read(root);
        bool dropped = false;

        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                dropped |= pending_drop(pending, v->module, v->name);
        }
        return !dropped || pending_write(pending, root, error);
}

static bool is_waiting(const Plan *plan, const Root *root) {
        g_autoptr(Pending) pending = pending_read(root);

        return !plan->pending && plan->flags & REQUEST_WHEN_IDLE && !pending_is_empty(pending);
}

static bool recover_same_boot(const Plan *plan, JournalPhase phase, const Root *root, Loader *loader, GPtrArray *steps,
                              GError **error) {
        if (phase == JOURNAL_PROVEN)
                return (is_waiting(plan, root) || recover_modules(plan, root, loader, true, steps, error)) &&
                       plan_files_publish(plan, root, steps, error);
        /* Before it was proven no file of ours had changed, unless undoing it was already tried and failed. */
        if (phase == JOURNAL_DEGRADED && !plan_files_restore(plan, root, error))
                return false;
        return recover_modules(plan, root, loader, false, steps, error) && plan_files_discard(plan, root, error) &&
               (plan->pending || forget_pending(plan, root, error));
}

static void recover_plan(ChangeResult *result, const Plan *plan, JournalPhase phase, const Root *root, Loader *loader) {
        g_autoptr(GError) failed = NULL;
        const bool same_boot = is_same_boot(root, plan);

        recover_step(result, "found \"%s\" cut short %s", plan->title,
                     !same_boot                ? "before this boot; this boot has loaded what the files say"
                     : phase == JOURNAL_PROVEN ? "after it was proven; finishing it"
                                               : "before it was proven; undoing it");
        /* Of two files one lives in /run and went with the other boot, so the one that is left is wholly old or wholly new. */
        const bool ok = same_boot ? recover_same_boot(plan, phase, root, loader, result->steps, &failed)
                                  : plan_files_discard(plan, root, &failed);

        if (ok && journal_clear(root, &failed)) {
                result->outcome = same_boot && phase == JOURNAL_PROVEN ? "applied" : "unchanged";
                return;
        }
        (void) journal_write(root, plan, JOURNAL_DEGRADED, NULL);
        g_set_error(&result->error, CONDITION, CONDITION_HOST_DEGRADED,
                    "\"%s\" was cut short, and the host could not be put back as it was (%s). See what there is with "
                    "\"nestvirtctl status\", then run: modprobe %s",
                    plan->title, failed->message, plan->vendor ?: "kvm");
}

/* Our own records that were being written when they were cut short: the old ones count. */
static void discard_records(const Root *root) {
        static const char *const records[] = {JOURNAL_PATH, PENDING_PATH, KVM_KEPT_PATH};

        for (unsigned i = 0; i < G_N_ELEMENTS(records); i++)
                (void) root_discard(root, records[i], NULL);
}

ChangeResult *recover_run(const Root *root, Loader *loader) {
        g_autoptr(GError) unreadable = NULL;
        JournalPhase phase;
        g_autoptr(Plan) plan = journal_read(root, &phase, &unreadable);

        discard_records(root);
        if (!plan && !unreadable)
                return NULL;

        ChangeResult *result = change_result_new();
        if (plan)
                recover_plan(result, plan, phase, root, loader);
        else
                g_set_error(&result->error, CONDITION, CONDITION_HOST_DEGRADED,
                            "The journal of a change that was cut short can't be understood (%s). See that KVM is as "
                            "it should be "
                            "with \"nestvirtctl status\", then run: rm /%s",
                            unreadable->message, JOURNAL_PATH);
        return result;
}
