/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests for guests, and rules over what they come to. It reads no XML. */

#include <string.h>

#include "error.h"
#include "guest-plan.h"
#include "guest-verdict.h"
#include "plan.h"

/* The words of a CPU. */
#define WORDS_SIZE 128

GuestEdit *guest_edit_new(void) {
        GuestEdit *edit = g_new0(GuestEdit, 1);

        edit->nested = -1;
        return edit;
}

GuestEdit *guest_edit_copy(const GuestEdit *edit) {
        GuestEdit *copy = g_new(GuestEdit, 1);

        *copy = (GuestEdit) {
                        .recipe = g_strdup(edit->recipe),
                        .release = g_strdup(edit->release),
                        .mode = g_strdup(edit->mode),
                        .model = g_strdup(edit->model),
                        .nested = edit->nested,
        };
        return copy;
}

void guest_edit_free(GuestEdit *edit) {
        if (!edit)
                return;
        g_free(edit->recipe);
        g_free(edit->release);
        g_free(edit->mode);
        g_free(edit->model);
        g_free(edit);
}

bool guest_edit_check(const GuestEdit *edit, GError **error) {
        if (edit->recipe || edit->mode || edit->model || edit->nested >= 0)
                return true;
        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS,
                            "Nothing is asked for: there are Mode, Model and Nested");
        return false;
}

static void add_word(GString *text, const char *name, const char *value) {
        if (value)
                g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", name, value);
}

char *guest_edit_to_string(const GuestEdit *edit) {
        g_autoptr(GString) text = g_string_new(NULL);

        add_word(text, "recipe", edit->recipe);
        add_word(text, "release", edit->release);
        add_word(text, "mode", edit->mode);
        add_word(text, "model", edit->model);
        add_word(text, "nested", edit->nested < 0 ? NULL : edit->nested ? "yes" : "no");
        return g_string_free(g_steal_pointer(&text), FALSE);
}

GuestPlan *guest_plan_new(const GuestEdit *edit) {
        GuestPlan *plan = g_new0(GuestPlan, 1);

        plan->edit = guest_edit_copy(edit);
        plan->steps = g_ptr_array_new_with_free_func(g_free);
        plan->advice = g_ptr_array_new_with_free_func(g_free);
        plan->words = g_string_chunk_new(WORDS_SIZE);
        return plan;
}

static void wipe(char *text) {
        if (text)
                explicit_bzero(text, strlen(text));
        g_free(text);
}

void guest_plan_free(GuestPlan *plan) {
        if (!plan)
                return;
        guest_edit_free(plan->edit);
        wipe(plan->before);
        wipe(plan->after);
        g_free(plan->diff);
        g_free(plan->diff_missing);
        g_ptr_array_unref(plan->steps);
        g_ptr_array_unref(plan->advice);
        guest_facts_free(plan->facts);
        g_strfreev(plan->listed);
        g_string_chunk_free(plan->words);
        g_free(plan);
}

bool guest_plan_is_unchanged(const GuestPlan *plan) {
        return g_str_equal(plan->before, plan->after);
}

bool guest_plan_allows(const GuestFacts *facts, GError **error) {
        if (!facts->persistent) {
                g_set_error(error, CONDITION, CONDITION_TRANSIENT_GUEST,
                            "%s is transient: it has no definition that could be changed. Whoever made it makes the "
                            "next one, too",
                            facts->name);
                return false;
        }
        if (facts->managed_save) {
                g_set_error(error, CONDITION, CONDITION_CONFLICT,
                            "%s has a managed save, with which its next start brings back the CPU of then, whatever is "
                            "defined. Start it and shut it down, or throw that state away (virsh managedsave-remove "
                            "%s); then again",
                            facts->name, facts->uuid);
                return false;
        }
        return true;
}

/* The guest as it will be; it borrows everything. */
static GuestFacts facts_then(const GuestPlan *plan) {
        GuestFacts facts = *plan->facts;

        facts.defined = plan->cpu;
        return facts;
}

static void add_impact(GPtrArray *impact, const char *guest, const char *kind, char *message) {
        Impact *one = g_new(Impact, 1);

        *one = (Impact) {.subject = g_strdup(guest), .kind = kind, .message = message};
        g_ptr_array_add(impact, one);
}

static bool wants_nested(const GuestEdit *edit) {
        return edit->recipe || edit->nested == 1;
}

GPtrArray *guest_plan_impact(const GuestPlan *plan, const GuestHost *host) {
        GPtrArray *impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free);
        const GuestFacts facts = facts_then(plan);
        g_autoptr(GuestVerdict) then = guest_verdict_new(&facts, host);
        const char *name = facts.name, *uses = g_str_equal(then->using, "yes")   ? "runs guests of its own now"
                                               : g_str_equal(then->using, "has") ? "has run guests of its own"
                                                                                 : NULL;

        if (g_str_equal(then->next_start, "fails"))
                add_impact(impact, name, "fails-to-start",
                           g_strdup_printf("%s will not start: %s", name, then->start_reason));
        else if (wants_nested(plan->edit) && g_str_equal(then->next_start, "no"))
                add_impact(impact, name, "loses-nested",
                           g_strdup_printf("%s will not be able to nest all the same: %s", name, then->start_reason));
        else if (uses && g_str_equal(then->next_start, "no"))
                add_impact(impact, name, "loses-nested",
                           g_strdup_printf("%s %s, and will not be able to once it has been switched off and on", name,
                                           uses));
        if (*then->saved_state)
                add_impact(impact, name, "saved-state",
                           g_strdup_printf("%s of %s would bring back another CPU", then->saved_state, name));
        return impact;
}

static void add_change(GPtrArray *changes, const char *name, const char *before, const char *after) {
        GuestAlteration *one;

        if (!name || g_str_equal(before ?: "", after ?: ""))
                return;
        one = g_new(GuestAlteration, 1);
        *one = (GuestAlteration) {.name = name, .before = before ?: "", .after = after ?: ""};
        g_ptr_array_add(changes, one);
}

GPtrArray *guest_plan_changes(const GuestPlan *plan, const GuestHost *host) {
        const GuestCpu *before = &plan->facts->defined, *after = &plan->cpu;
        GPtrArray *changes = g_ptr_array_new_with_free_func(g_free);

        if (guest_plan_is_unchanged(plan))
                return changes;
        add_change(changes, "mode", before->mode, after->mode);
        add_change(changes, "model", before->model, after->model);
        add_change(changes, "match", before->match, after->match);
        add_change(changes, "check", before->check, after->check);
        add_change(changes, guest_feature(host->vendor), before->policy, after->policy);
        return changes;
}

bool guest_plan_needs_restart(const GuestPlan *plan, const GuestHost *host) {
        const GuestFacts facts = facts_then(plan);
        g_autoptr(GuestVerdict) then = guest_verdict_new(&facts, host);

        return then->restart_needed;
}
