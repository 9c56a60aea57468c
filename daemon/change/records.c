/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What waits for idle, and that kvm stayed loaded, before and after a change. It must not write a
 * file. */

#include "applied.h"
#include "dropin.h"
#include "error.h"
#include "host.h"
#include "pending.h"
#include "plan-files.h"
#include "records.h"

static PlanFile *find(const GPtrArray *files, const char *path) {
        for (unsigned i = 0; i < files->len; i++) {
                PlanFile *file = g_ptr_array_index(files, i);
                if (g_str_equal(file->path, path))
                        return file;
        }
        return NULL;
}

/* Nothing when the texts are the same. Takes both over. */
static void add(Plan *plan, const char *path, char *before, char *after) {
        PlanFile *file = g_new(PlanFile, 1);

        *file = (PlanFile) {.path = g_strdup(path), .before = before, .after = after};
        if (g_strcmp0(before, after) == 0)
                plan_file_free(file);
        else
                g_ptr_array_add(plan->records, file);
}

static void wait_for_idle(const Plan *plan, Pending *pending) {
        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                if (v->asked)
                        pending_set(pending, v->module, v->name, v->after);
        }
}

static void settle(const Plan *plan, Pending *pending, bool kvm_kept) {
        if (plan->pending)
                (void) pending_drop(pending, NULL, NULL);
        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                (void) pending_drop(pending, v->module, v->name);
        }
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i);
                if (!kvm_kept || m->required)
                        (void) pending_drop(pending, m->name, NULL);
        }
}

void records_wait(const Plan *plan, bool deferred, bool kvm_kept, Pending *pending) {
        if (deferred)
                wait_for_idle(plan, pending);
        else
                settle(plan, pending, kvm_kept);
}

/* kvm.ko that stayed loaded while nested went off: on some kernels the switch then only looks off
 * (see effect-reason.c). */
static bool add_kvm_kept(Plan *plan, const Root *root, bool kvm_kept, GError **error) {
        char *before;
        g_autofree char *number = kvm_kept ? host_kvm_number(root) : NULL;

        if (!plan_reloads(plan) || (kvm_kept && !plan->nested_off))
                return true;
        if (kvm_kept && !number) {
                g_set_error(error, CONDITION, CONDITION_RELOAD_FAILED, "which kvm stayed loaded can't be told");
                return false;
        }
        if (!plan_files_read(root, KVM_KEPT_PATH, &before, error))
                return false;
        add(plan, KVM_KEPT_PATH, before, number ? g_strconcat(number, "\n", NULL) : NULL);
        return true;
}

/* The record of what we write, once our drop-in has gone from @then to @now. */
static char *write_down(const char *written, const char *then, const char *now) {
        g_autoptr(Dropin) to = dropin_parse(written ?: ""), from = dropin_parse(then ?: ""),
                          is = dropin_parse(now ?: "");

        dropin_copy_changes(to, from, is);
        return now ? dropin_render(to) : NULL;
}

/* Where @files change our drop-in; @back: from what is after to what was before. */
static bool add_written(Plan *plan, const GPtrArray *files, const Root *root, bool back, GError **error) {
        const PlanFile *file = find(files, DROPIN_PATH);
        char *text;

        if (!file)
                return true;
        if (!plan_files_read(root, DROPIN_WRITTEN_PATH, &text, error))
                return false;
        if (back)
                add(plan, DROPIN_WRITTEN_PATH, write_down(text, file->after, file->before), text);
        else
                add(plan, DROPIN_WRITTEN_PATH, text, write_down(text, file->before, file->after));
        return true;
}

static bool add_applied(Plan *plan, const Root *root, GError **error) {
        char *before;

        if (!plan->applies)
                return true;
        if (!plan_files_read(root, APPLIED_PATH, &before, error))
                return false;
        add(plan, APPLIED_PATH, before, g_strdup(plan->applied));
        return true;
}

bool records_done(Plan *plan, const Root *root, bool kvm_kept, GError **error) {
        char *before;

        if (!plan_files_read(root, PENDING_PATH, &before, error))
                return false;
        if (before) {
                g_autoptr(Pending) pending = pending_parse(before);
                settle(plan, pending, kvm_kept);
                add(plan, PENDING_PATH, before, pending_to_text(pending));
        }
        return add_kvm_kept(plan, root, kvm_kept, error) && add_written(plan, plan->files, root, false, error) &&
               add_applied(plan, root, error);
}

static bool is_waiting(const Pending *pending, const PlanValue *v) {
        GHashTable *values = g_hash_table_lookup(pending->modules, v->module);

        return values && g_hash_table_contains(values, v->name);
}

/* The text that is to come back says of the parameters that begin to wait what it says before this
 * change; of all others it stays. */
static char *remember(const Plan *plan, const Pending *pending, const char *then, const char *now) {
        g_autoptr(Dropin) to = dropin_parse(then ?: ""), from = dropin_parse(now ?: "");
        bool changed = false;

        for (unsigned i = 0; i < plan->values->len; i++) {
                const PlanValue *v = g_ptr_array_index(plan->values, i);
                if (v->asked && !is_waiting(pending, v))
                        changed |= dropin_copy(to, from, v->module, v->name);
        }
        return changed ? dropin_render(to) : g_strdup(then);
}

static bool remember_files(const Plan *plan, const Root *root, Pending *pending, GError **error) {
        static const char *const paths[] = {DROPIN_PATH, DROPIN_RUNTIME_PATH};

        if (pending_is_empty(pending))
                g_hash_table_remove_all(pending->before);
        for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
                const PlanFile *file = find(plan->files, paths[i]);
                g_autofree char *now = NULL;
                gpointer then;
                if (!plan_files_read(root, paths[i], &now, error))
                        return false;
                if (g_hash_table_lookup_extended(pending->before, paths[i], NULL, &then))
                        g_hash_table_insert(pending->before, g_strdup(paths[i]), remember(plan, pending, then, now));
                else if (file)
                        g_hash_table_insert(pending->before, g_strdup(paths[i]), g_steal_pointer(&now));
        }
        return true;
}

bool records_deferred(Plan *plan, const Root *root, GError **error) {
        char *before;

        if (!plan_files_read(root, PENDING_PATH, &before, error))
                return false;
        g_autoptr(Pending) pending = pending_parse(before);
        const bool ok = remember_files(plan, root, pending, error);
        wait_for_idle(plan, pending);
        add(plan, PENDING_PATH, before, pending_to_text(pending));
        return ok && add_written(plan, plan->files, root, false, error) && add_applied(plan, root, error);
}

/* @now, with what has waited as it is in @then. */
static char *revert(const Pending *pending, const char *then, const char *now) {
        g_autoptr(Dropin) from = dropin_parse(then ?: ""), to = dropin_parse(now ?: "");
        GHashTableIter i, j;
        gpointer module, values, name;

        g_hash_table_iter_init(&i, pending->modules);
        while (g_hash_table_iter_next(&i, &module, &values)) {
                g_hash_table_iter_init(&j, values);
                while (g_hash_table_iter_next(&j, &name, NULL))
                        (void) dropin_copy(to, from, module, name);
        }
        /* Nothing else has come in: byte for byte what it was. */
        return dropin_same(to, from) ? g_strdup(then) : dropin_render(to);
}

/* Adds to @plan; on failure what is added means nothing. */
static bool revert_files(Plan *plan, const Root *root, const Pending *pending, GError **error) {
        GHashTableIter i;
        gpointer path, then;

        g_hash_table_iter_init(&i, pending->before);
        while (g_hash_table_iter_next(&i, &path, &then)) {
                char *text;
                if (!plan_files_read(root, path, &text, error))
                        return false;
                add(plan, path, revert(pending, then, text), text);
        }
        return true;
}

/* All or nothing: were the wait forgotten and not the files, nobody could put these back. */
bool records_reverted(Plan *plan, const Root *root, GError **error) {
        const PlanFile *known = find(plan->records, PENDING_PATH);
        g_autoptr(Plan) reverted = plan_new_empty();
        char *now;

        if (!plan_files_read(root, PENDING_PATH, &now, error))
                return false;
        g_autoptr(Pending) pending = pending_parse(known ? known->before : now);
        add(reverted, PENDING_PATH, NULL, now);
        if (!revert_files(reverted, root, pending, error) ||
            !add_written(reverted, reverted->records, root, true, error))
                return false;
        if (known)
                (void) g_ptr_array_remove(plan->records, (gpointer) known);
        while (reverted->records->len > 0)
                g_ptr_array_add(plan->records, g_ptr_array_steal_index(reverted->records, 0));
        return true;
}
