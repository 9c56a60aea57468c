/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transaction. In order: the journal says "begun", the new files are staged, the modules are
 * reloaded, the values are read back, our own records are staged as well, the journal says
 * "proven", the files become visible, the journal goes. Until "proven" every failure, and every
 * kill, is undone; after it, it is finished. */

#include <string.h>

#include "change.h"
#include "damage.h"
#include "error.h"
#include "journal.h"
#include "plan-files.h"
#include "records.h"
#include "recover.h"
#include "reload.h"
#include "rollback.h"

#define HOLDERS_SHOWN 8U

typedef struct Change {
        Plan *plan;
        const Root *root;
        Reload reload;
        ChangeResult *result;
} Change;

static void G_GNUC_PRINTF(2, 3) change_step(Change *change, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(change->result->steps, g_strdup_vprintf(format, args));
        va_end(args);
}

static void G_GNUC_PRINTF(2, 3) change_note(Change *change, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(change->result->notes, g_strdup_vprintf(format, args));
        va_end(args);
}

static void note_plan(Change *change) {
        for (unsigned i = 0; i < change->plan->notes->len && !change->plan->unchanged; i++)
                change_note(change, "%s", (const char *) g_ptr_array_index(change->plan->notes, i));
}

static void add_blockers(ChangeResult *result, const Users *users, const Passing *passing) {
        result->omitted = users->omitted + users->others;
        result->perhaps_more = users->perhaps_more;
        for (unsigned i = 0; i < users->holders->len; i++) {
                const User *user = g_ptr_array_index(users->holders, i);
                const char *what = passing_what(passing, user);
                Impact *one = g_new(Impact, 1);
                *one = (Impact) {
                                .subject = *user->guest ? g_strdup(user->guest) : g_strdup_printf("pid %u", user->pid),
                                .kind = "blocks",
                                .message = g_strdup_printf("pid %u %s%s%s holds KVM%s%s%s", user->pid, user->command,
                                                           *user->unit ? " of " : "", user->unit,
                                                           what ? "; it is " : "", what ?: "",
                                                           what ? ", which ends by itself and is waited for" : ""),
                };
                g_ptr_array_add(result->impact, one);
        }
}

GError *change_busy(const Plan *plan, const Users *users) {
        g_autofree char *names = users_to_string(users, HOLDERS_SHOWN);
        const char *ways =
                        plan->reload ? "Stop that and ask again"
                        : plan->flags & REQUEST_RUNTIME
                                        ? "Stop that and ask again; or have it kept, instead of --runtime, as soon as "
                                          "nobody uses it (--when-idle) or at the next boot (--next-boot)"
                                        : "Stop that, or let it happen as soon as nobody uses it (--when-idle), or at "
                                          "the next boot (--next-boot)";

        return g_error_new(CONDITION, CONDITION_BUSY, "%s is in use by %s. %s", plan->vendor ?: "kvm",
                           *names ? names : "something that is no process (another module, or a device)", ways);
}

static bool concerns_several_modules(const Plan *plan) {
        const char *first = NULL;

        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                if (v->asked && first && !g_str_equal(first, v->module))
                        return true;
                if (v->asked)
                        first = v->module;
        }
        return false;
}

static void read_values(Change *change) {
        const bool several = concerns_several_modules(change->plan);

        for (unsigned i = 0; i < change->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(change->plan->values, i);
                char *read = NULL;
                if (v->asked && reload_read(change->root, v, &read, NULL) && read)
                        g_hash_table_insert(change->result->values,
                                            several ? g_strdup_printf("%s.%s", v->module, v->name) : g_strdup(v->name),
                                            read);
        }
}

/* Everything back as it was; the error says which of the two it came to. @visible: files may have
 * changed already. */
static void undo(Change *change, const GError *cause, bool visible) {
        Plan *plan = change->plan;
        g_autoptr(GError) failed = NULL;
        g_autofree char *why = g_strdup_printf("failed (%s)", cause->message);

        change_step(change, "failed: %s; putting everything back", cause->message);
        const bool planned = !plan->pending || records_reverted(plan, change->root, &failed);
        /* Were the journal not to change, a kill from here on would have the change finished after
         * all: as long as what it says that it would finish is there, that comes to a whole host,
         * too. */
        if (visible || plan->pending)
                (void) journal_write(change->root, plan, JOURNAL_UNDOING, NULL);
        /* What has waited and is not taken back is for the next start to know of. */
        if (!rollback_run(&change->reload, planned, planned ? &failed : NULL)) {
                change->result->error = rollback_degraded(plan, change->root, why, failed);
                return;
        }

        change_step(change, "everything is as it was");
        if (g_error_matches(cause, CONDITION, CONDITION_NOT_PERMITTED) ||
            g_error_matches(cause, CONDITION, CONDITION_CONFLICT))
                g_set_error(&change->result->error, CONDITION, cause->code, "%s. Everything is as it was before",
                            cause->message);
        else
                g_set_error(&change->result->error, CONDITION, CONDITION_RELOAD_FAILED,
                            "%s failed: %s. Everything is as it was before", plan->title, cause->message);
}

/* Nothing but staged files and the journal are there yet. */
static void abandon(Change *change) {
        g_autoptr(GError) failed = NULL;

        if (!plan_files_discard(change->plan->files, change->root, &failed) ||
            !journal_clear_soon(change->root, &failed))
                change_note(change, "left behind: %s", failed->message);
}

static const char *outcome_of(const Change *change) {
        const bool in_effect = plan_reloads(change->plan);
        bool poked = false;

        for (unsigned i = 0; i < change->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(change->plan->values, i);
                poked |= v->writable && !g_str_equal(v->before, v->after);
        }
        return in_effect || (poked && !(change->plan->flags & REQUEST_NEXT_BOOT)) ? "applied" : "configured";
}

/* From the journal's word on, it is finished and no longer undone. Everything that could fail for
 * want of room comes before. */
static bool prove(Change *change, GError **error) {
        Plan *plan = change->plan;
        const bool recorded = plan->deferred ? records_deferred(plan, change->root, error)
                                             : records_done(plan, change->root, change->reload.kvm_kept, error);

        return recorded && plan_files_stage(plan->records, change->root, error) &&
               plan_files_unchanged(plan->files, change->root, error);
}

static void finish(Change *change, const char *outcome) {
        g_autoptr(GError) failed = NULL, left = NULL;

        if (!prove(change, &failed)) {
                undo(change, failed, false);
                return;
        }
        if (!journal_write(change->root, change->plan, JOURNAL_PROVEN, &failed) ||
            !plan_files_finish(change->plan, change->root, change->result->steps, &failed)) {
                undo(change, failed, true);
                return;
        }
        /* All is done; a journal that can't be removed would only make the next start look, and
         * find everything in place. */
        if (!journal_clear_soon(change->root, &left) || !damage_settle(change->root, change->plan, &left))
                change_note(change, "left behind: %s", left->message);
        change->result->outcome = outcome;
}

static void apply(Change *change) {
        const bool may_wait = change->plan->flags & REQUEST_WHEN_IDLE && !change->plan->pending;
        g_autoptr(GError) failed = NULL;

        switch (reload_run(&change->reload, &failed)) {
        case RELOAD_DONE:
                finish(change, outcome_of(change));
                return;
        case RELOAD_BUSY:
                change->plan->deferred = may_wait;
                if (may_wait)
                        finish(change, "deferred");
                else {
                        change->result->holders = users_scan(change->root);
                        abandon(change);
                        change->result->error = change_busy(change->plan, change->result->holders);
                }
                return;
        case RELOAD_FAILED:
        default:
                undo(change, failed, false);
        }
}

/* There is one journal. What an earlier change has left in it is put in order first; when that
 * altered the host, it is not the one that the plan was made for: the caller has to look again, and
 * what waits for idle does so by itself. */
static bool clear_up(Change *change, GError **error) {
        g_autoptr(ChangeResult) earlier = recover_run(change->root, change->reload.loader);

        if (!earlier)
                return true;
        for (unsigned i = 0; i < earlier->steps->len; i++)
                change_step(change, "%s", (const char *) g_ptr_array_index(earlier->steps, i));
        if (earlier->error)
                g_propagate_error(error, g_steal_pointer(&earlier->error));
        else if (!g_str_equal(earlier->outcome, "unchanged"))
                g_set_error(error, CONDITION, change->plan->pending ? CONDITION_BUSY : CONDITION_CONFLICT,
                            "A change that had failed before was put in order first (%s), so the host is not the one "
                            "that this was asked for: look at it and ask again",
                            (const char *) g_ptr_array_index(earlier->steps, 0));
        return !*error;
}

static void begin(Change *change) {
        GError **error = &change->result->error;

        if (!clear_up(change, error) || !damage_allows(change->root, change->plan, error) ||
            !plan_files_unchanged(change->plan->files, change->root, error))
                return;
        if (!journal_write(change->root, change->plan, JOURNAL_BEGUN, error) ||
            !plan_files_stage(change->plan->files, change->root, error)) {
                abandon(change);
                return;
        }
        apply(change);
}

/* It waited, and somebody else has put it in effect. */
static bool settle(Change *change, GError **error) {
        Plan *plan = change->plan;

        return !plan->pending ||
               (records_done(plan, change->root, true, error) && plan_files_stage(plan->records, change->root, error) &&
                plan_files_publish(plan->records, change->root, NULL, error));
}

ChangeResult *change_preview(Plan *plan, const Root *root, const Users *users, const Passing *passing) {
        Change change = {.plan = plan, .root = root, .result = change_result_new()};

        for (unsigned i = 0; i < plan->steps->len && !plan->unchanged; i++)
                change_step(&change, "%s", (const char *) g_ptr_array_index(plan->steps, i));
        note_plan(&change);
        if (users)
                add_blockers(change.result, users, passing);
        change.result->outcome = plan->unchanged ? "unchanged" : "planned";
        read_values(&change);
        return change.result;
}

ChangeResult *change_run(Plan *plan, const Root *root, Loader *loader) {
        Change change = {
                        .plan = plan,
                        .root = root,
                        .result = change_result_new(),
        };
        change.reload = (Reload) {.plan = plan, .root = root, .loader = loader, .steps = change.result->steps};

        note_plan(&change);
        if (!plan->unchanged)
                begin(&change);
        else if (settle(&change, &change.result->error) && damage_settle(root, plan, &change.result->error))
                change.result->outcome = "unchanged";
        read_values(&change);
        return change.result;
}
