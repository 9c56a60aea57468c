/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transaction. In order: the journal is written, the new files are staged, the modules are reloaded, the values are read back, the journal says
 * "proven", the files become visible, the journal goes. Until "proven" every failure, and every kill, is undone; after it, it is finished. */

#include <string.h>

#include "change.h"
#include "error.h"
#include "journal.h"
#include "pending.h"
#include "plan-files.h"
#include "reload.h"
#include "users.h"

#define HOLDERS_SHOWN 8U

typedef struct Change {
        const Plan *plan;
        const Root *root;
        Reload reload;
        ChangeResult *result;
} Change;

ChangeResult *change_result_new(void) {
        ChangeResult *result = g_new0(ChangeResult, 1);
        result->steps = g_ptr_array_new_with_free_func(g_free);
        result->impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free);
        result->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        return result;
}

void change_result_free(ChangeResult *result) {
        if (!result)
                return;
        g_ptr_array_unref(result->steps);
        g_ptr_array_unref(result->impact);
        g_hash_table_unref(result->values);
        g_clear_error(&result->error);
        g_free(result);
}

static void G_GNUC_PRINTF(2, 3) change_step(Change *change, const char *format, ...) {
        va_list args;

        va_start(args, format);
        g_ptr_array_add(change->result->steps, g_strdup_vprintf(format, args));
        va_end(args);
}

GPtrArray *change_blockers(const Root *root) {
        g_autoptr(GPtrArray) users = users_scan(root);
        GPtrArray *impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free);

        for (unsigned i = 0; i < users->len; i++) {
                const User *user = g_ptr_array_index(users, i);
                Impact *one = g_new(Impact, 1);
                *one = (Impact) {
                                .subject = *user->guest ? g_strdup(user->guest) : g_strdup_printf("pid %u", user->pid),
                                .kind = "blocks",
                                .message = g_strdup_printf("pid %u %s%s%s holds KVM", user->pid, user->command,
                                                           *user->unit ? " of " : "", user->unit),
                };
                g_ptr_array_add(impact, one);
        }
        return impact;
}

GError *change_busy(const Plan *plan, const Root *root) {
        g_autoptr(GPtrArray) users = users_scan(root);
        g_autofree char *names = users->len > 0 ? users_to_string(users, HOLDERS_SHOWN) : NULL;

        return g_error_new(
                        CONDITION, CONDITION_BUSY,
                        "%s is in use by %s. Stop that, or let it happen as soon as nobody uses it (--when-idle), or "
                        "at the next boot (--next-boot)",
                        plan->vendor ?: "kvm", names ?: "something that is no process (another module, or a device)");
}

/* What waited and is done now, or is not wanted any more: the parameters asked for, and all those of a module that was loaded anew. */
static bool settle_pending(const Change *change, GError **error) {
        g_autoptr(Pending) pending = pending_read(change->root);
        bool dropped = change->plan->pending && pending_drop(pending, NULL, NULL);

        for (unsigned i = 0; i < change->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(change->plan->values, i);
                dropped |= pending_drop(pending, v->module, v->name);
        }
        for (unsigned i = 0; i < change->plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(change->plan->modules, i);
                if (!change->reload.kvm_kept || m->required)
                        dropped |= pending_drop(pending, m->name, NULL);
        }
        return !dropped || pending_write(pending, change->root, error);
}

static bool add_pending(const Change *change, GError **error) {
        g_autoptr(Pending) pending = pending_read(change->root);
        const bool first = pending_is_empty(pending);

        if (first)
                g_hash_table_remove_all(pending->before);
        for (unsigned i = 0; i < change->plan->files->len; i++) {
                const PlanFile *file = g_ptr_array_index(change->plan->files, i);
                if (!g_hash_table_contains(pending->before, file->path))
                        g_hash_table_insert(pending->before, g_strdup(file->path), g_strdup(file->before));
        }
        for (unsigned i = 0; i < change->plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(change->plan->values, i);
                if (v->asked)
                        pending_set(pending, v->module, v->name, v->after);
        }
        return pending_write(pending, change->root, error);
}

/* A load that waited has failed: what was configured for it goes back to what it was before it was asked for. */
static bool revert_pending(const Change *change, GError **error) {
        g_autoptr(Pending) pending = pending_read(change->root);
        GHashTableIter i;
        gpointer path, text;

        g_hash_table_iter_init(&i, pending->before);
        while (g_hash_table_iter_next(&i, &path, &text))
                if (!plan_files_put(change->root, path, text, error))
                        return false;
        (void) pending_drop(pending, NULL, NULL);
        return pending_write(pending, change->root, error);
}

static bool plans_nested(const Plan *plan) {
        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                if (g_str_equal(v->name, "nested") && g_strcmp0(v->after, "0") == 0)
                        return true;
        }
        return false;
}

/* kvm.ko that stayed loaded while nested went off: on some kernels the switch then only looks off (see effect.c). */
static bool mark_kvm_kept(const Change *change, GError **error) {
        if (!plan_reloads(change->plan))
                return true;
        if (change->reload.kvm_kept && plans_nested(change->plan))
                return root_write(change->root, KVM_KEPT_PATH, "nested=0\n", error);
        return change->reload.kvm_kept || root_remove(change->root, KVM_KEPT_PATH, error);
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
                char *read = v->asked ? reload_read(change->root, v) : NULL;
                if (read)
                        g_hash_table_insert(change->result->values,
                                            several ? g_strdup_printf("%s.%s", v->module, v->name) : g_strdup(v->name),
                                            read);
        }
}

static void set_degraded(Change *change, const GError *cause, const GError *undo) {
        (void) journal_write(change->root, change->plan, JOURNAL_DEGRADED, NULL);
        g_clear_error(&change->result->error);
        g_set_error(&change->result->error, CONDITION, CONDITION_HOST_DEGRADED,
                    "%s failed (%s), and the host could not be put back as it was (%s). See what there is with "
                    "\"nestvirtctl status\", then run: modprobe %s",
                    change->plan->title, cause->message, undo->message, change->plan->vendor ?: "kvm");
}

/* Everything back as it was; the error says which of the two it came to. */
static void undo(Change *change, const GError *cause) {
        g_autoptr(GError) failed = NULL;

        change_step(change, "failed: %s; putting everything back", cause->message);
        if (!reload_undo(&change->reload, &failed) || !plan_files_restore(change->plan, change->root, &failed) ||
            !plan_files_discard(change->plan, change->root, &failed) ||
            (change->plan->pending && !revert_pending(change, &failed)) || !journal_clear(change->root, &failed)) {
                set_degraded(change, cause, failed);
                return;
        }

        change_step(change, "everything is as it was");
        if (cause->domain == CONDITION && cause->code == CONDITION_NOT_PERMITTED)
                change->result->error = g_error_copy(cause);
        else
                g_set_error(&change->result->error, CONDITION, CONDITION_RELOAD_FAILED,
                            "%s failed: %s. Everything is as it was before", change->plan->title, cause->message);
}

/* Nothing but staged files and the journal are there yet. */
static void abandon(Change *change) {
        g_autoptr(GError) failed = NULL;

        if (!plan_files_discard(change->plan, change->root, &failed) || !journal_clear(change->root, &failed))
                change_step(change, "left behind: %s", failed->message);
}

static bool commit(Change *change, GError **error) {
        return journal_write(change->root, change->plan, JOURNAL_PROVEN, error) &&
               plan_files_publish(change->plan, change->root, change->result->steps, error) &&
               mark_kvm_kept(change, error) && settle_pending(change, error);
}

static bool defer(Change *change, GError **error) {
        return add_pending(change, error) && journal_write(change->root, change->plan, JOURNAL_PROVEN, error) &&
               plan_files_publish(change->plan, change->root, change->result->steps, error);
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

static void finish(Change *change, const char *outcome) {
        g_autoptr(GError) failed = NULL;

        /* All is done; a journal that can't be removed would only make the next start look, and find everything in place. */
        if (!journal_clear(change->root, &failed))
                change_step(change, "left behind: %s", failed->message);
        change->result->outcome = outcome;
}

static void apply(Change *change) {
        const bool may_wait = change->plan->flags & REQUEST_WHEN_IDLE && !change->plan->pending;
        g_autoptr(GError) failed = NULL, late = NULL;

        switch (reload_run(&change->reload, &failed)) {
        case RELOAD_DONE:
                if (commit(change, &late))
                        finish(change, outcome_of(change));
                else
                        undo(change, late);
                return;
        case RELOAD_BUSY:
                if (!may_wait) {
                        abandon(change);
                        change->result->error = change_busy(change->plan, change->root);
                } else if (defer(change, &late))
                        finish(change, "deferred");
                else
                        undo(change, late);
                return;
        case RELOAD_FAILED:
        default:
                undo(change, failed);
        }
}

static void begin(Change *change) {
        GError **error = &change->result->error;

        if (!plan_files_unchanged(change->plan, change->root, error))
                return;
        if (!journal_write(change->root, change->plan, JOURNAL_BEGUN, error) ||
            !plan_files_stage(change->plan, change->root, error)) {
                abandon(change);
                return;
        }
        apply(change);
}

static void plan_only(Change *change) {
        const Plan *plan = change->plan;

        for (unsigned i = 0; i < plan->steps->len; i++)
                change_step(change, "%s", (const char *) g_ptr_array_index(plan->steps, i));
        if (plan_reloads(plan)) {
                g_ptr_array_unref(change->result->impact);
                change->result->impact = change_blockers(change->root);
        }
        change->result->outcome = "planned";
}

ChangeResult *change_run(const Plan *plan, const Root *root, Loader *loader) {
        Change change = {
                        .plan = plan,
                        .root = root,
                        .result = change_result_new(),
        };
        change.reload = (Reload) {.plan = plan, .root = root, .loader = loader, .steps = change.result->steps};

        if (plan->unchanged && (!plan->pending || settle_pending(&change, &change.result->error)))
                change.result->outcome = "unchanged";
        else if (!plan->unchanged && plan->flags & REQUEST_DRY_RUN)
                plan_only(&change);
        else if (!plan->unchanged)
                begin(&change);
        read_values(&change);
        return change.result;
}
