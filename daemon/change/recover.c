/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change that was cut short: the journal says what it was and how far it had come. Everything
 * here can be cut short again and repeated. */

#include "applied.h"
#include "damage.h"
#include "dropin.h"
#include "error.h"
#include "file.h"
#include "journal.h"
#include "pending.h"
#include "plan-files.h"
#include "recover.h"
#include "reload.h"
#include "rollback.h"

static void G_GNUC_PRINTF(2, 3) recover_step(GPtrArray *steps, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(steps, g_strdup_vprintf(format, args));
        va_end(args);
}

/* False when it can't be told: a boot that can't be read is not another one. */
static bool read_same_boot(const Root *root, const Plan *plan, bool *ret, GError **error) {
        g_autofree char *boot = NULL;

        if (!plan_files_read(root, "proc/sys/kernel/random/boot_id", &boot, error))
                return false;
        *ret = *plan->boot_id && g_strcmp0(boot ? g_strchomp(boot) : NULL, plan->boot_id) == 0;
        return true;
}

/* *@ret: it is in effect, if need be by another load. False when it can't be told whether it is:
 * modules are not loaded anew for a reading that failed. */
static bool prove_again(const Plan *plan, const Root *root, Loader *loader, GPtrArray *steps, bool *ret,
                        GError **why_not, GError **error) {
        Reload reload = {.plan = plan, .root = root, .loader = loader, .steps = steps};
        g_autoptr(GError) failed = NULL;

        *ret = plan->deferred || reload_verify(root, plan, true, &failed);
        if (*ret)
                return true;
        if (!g_error_matches(failed, CONDITION, CONDITION_RELOAD_FAILED)) {
                g_propagate_error(error, g_steal_pointer(&failed));
                return false;
        }
        *ret = reload_run(&reload, why_not) == RELOAD_DONE;
        return true;
}

static bool undo(const Plan *plan, const Root *root, Loader *loader, GPtrArray *steps, GError **error) {
        /* Whether it is as it was before is for the undoing to see: also a module that was not
         * loaded then is to go. */
        Reload reload = {.plan = plan, .root = root, .loader = loader, .steps = steps, .touched = true};

        return rollback_run(&reload, true, error);
}

/* A change of which it can't be told any more that it is in effect, or whose files do not become
 * visible, is undone after all. */
static bool finish(const Plan *plan, const Root *root, Loader *loader, GPtrArray *steps, GError **error) {
        g_autoptr(GError) failed = NULL;
        bool proven;

        if (!prove_again(plan, root, loader, steps, &proven, &failed, error))
                return false;
        if (proven && plan_files_finish(plan, root, steps, &failed))
                return journal_clear(root, error);
        recover_step(steps, "failed: %s; putting everything back", failed->message);
        (void) journal_write(root, plan, JOURNAL_UNDOING, NULL);
        return undo(plan, root, loader, steps, error);
}

/* The boot has loaded what the files said, so they stay as they are: of two files one lives in /run
 * and went with the other boot, the one that is left is wholly old or wholly new, and our records
 * follow it. Only what was to be put back and could not be then is put back now. */
static bool tidy(const Plan *plan, JournalPhase phase, const Root *root, GPtrArray *steps, GError **error) {
        return (phase != JOURNAL_DEGRADED || (plan_files_restore(plan->files, root, steps, error) &&
                                              plan_files_restore(plan->records, root, steps, error))) &&
               (phase != JOURNAL_PROVEN || plan_files_follow(plan, root, error)) &&
               plan_files_discard(plan->files, root, error) && plan_files_discard(plan->records, root, error) &&
               journal_clear(root, error);
}

/* It may be readable the next time: nothing is done, and nothing is forgotten. */
static GError *fail_unread(Condition condition, const GError *failed) {
        return g_error_new(CONDITION, (int) condition,
                           "Whether a change was cut short can't be told (%s), so nothing is changed. Mend that, then "
                           "run: systemctl restart nestvirtd.service",
                           failed->message);
}

static void recover_plan(ChangeResult *result, const Plan *plan, JournalPhase phase, const Root *root, Loader *loader) {
        g_autoptr(GError) failed = NULL;
        GPtrArray *steps = result->steps;
        bool same_boot, ok;

        if (!read_same_boot(root, plan, &same_boot, &failed)) {
                result->error = fail_unread(CONDITION_HOST_DEGRADED, failed);
                return;
        }
        recover_step(steps, "found \"%s\" %s", plan->title,
                     !same_boot                  ? "cut short before this boot; this boot has loaded what the files say"
                     : phase == JOURNAL_PROVEN   ? "cut short after it was proven; finishing it"
                     : phase == JOURNAL_DEGRADED ? "failed, and not undone; undoing it"
                                                 : "cut short before it was proven; undoing it");
        if (!same_boot)
                ok = tidy(plan, phase, root, steps, &failed);
        else if (phase == JOURNAL_PROVEN)
                ok = finish(plan, root, loader, steps, &failed);
        else
                ok = undo(plan, root, loader, steps, &failed);

        if (ok)
                result->outcome = steps->len > 1 ? "applied" : "unchanged";
        else
                result->error = rollback_degraded(plan, root, "was cut short", failed);
}

/* What was being written when it was cut short, and nobody needs any more. */
static void discard_staged(const Root *root) {
        static const char *const paths[] = {JOURNAL_PATH, PENDING_PATH, KVM_KEPT_PATH,      DROPIN_WRITTEN_PATH,
                                            APPLIED_PATH, DROPIN_PATH,  DROPIN_RUNTIME_PATH};

        for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++)
                (void) file_discard(root, paths[i], NULL);
}

static ChangeResult *recover(const Root *root, Loader *loader) {
        g_autoptr(GError) failed = NULL;
        JournalPhase phase = JOURNAL_BEGUN;
        g_autoptr(Plan) plan = journal_read(root, &phase, &failed);

        if (!plan && !failed)
                return NULL;

        ChangeResult *result = change_result_new();
        if (plan)
                recover_plan(result, plan, phase, root, loader);
        else if (failed->domain == CONDITION)
                result->error = damage_found(root, loader, failed->message, result->steps);
        else
                result->error = fail_unread(CONDITION_INTERNAL, failed);
        return result;
}

ChangeResult *recover_run(const Root *root, Loader *loader) {
        ChangeResult *result = recover(root, loader);

        if (!result || !result->error)
                discard_staged(root);
        return result;
}
