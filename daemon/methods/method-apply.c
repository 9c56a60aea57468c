/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Apply: the desired state, of the folders or of files that are handed in. All of it is looked at
 * first, the host and then the guests, by dry runs of the very changes: what is wrong anywhere is
 * told while nothing is changed, and where there is nothing to do, nobody is asked. Then polkit is
 * asked about the guests, and about the host by its own operation; that is carried out, and the
 * guests follow. */

#include <unistd.h>

#include "applied.h"
#include "apply-content.h"
#include "apply-result.h"
#include "desired-folders.h"
#include "desired-guests.h"
#include "error.h"
#include "describe-reply.h"
#include "lock.h"
#include "methods.h"
#include "names.h"
#include "operation.h"
#include "operation-guests.h"

typedef struct Apply {
        Services *services;
        const Object *object;
        Call *call; /* NULL while an operation has it */
        ApplyContent content;
        bool of_folders; /* what they say no more is reset, and what is set is written down */
        bool dry_run;
        bool image;             /* a tree of files, which may be for any host, and nobody but us is there */
        int lock;               /* of the tree, or -1 */
        uint64_t when, holders; /* RequestFlags */
        GPtrArray *settings;
        Applied *applied; /* when of_folders, as of the last look */
        char *record;     /* what is to be in its place */
        Caller caller;    /* who may change guests, once asked */
        GPtrArray *guest_notes;
        ApplyResult result;
} Apply;

static void apply_free(gpointer data) {
        Apply *apply = data;

        if (apply->lock >= 0)
                (void) close(apply->lock);
        apply_content_clear(&apply->content);
        g_clear_pointer(&apply->settings, g_ptr_array_unref);
        g_clear_pointer(&apply->applied, applied_free);
        g_free(apply->record);
        caller_clear(&apply->caller);
        g_clear_pointer(&apply->result.host, g_variant_unref);
        g_clear_pointer(&apply->result.guests, g_variant_unref);
        g_clear_pointer(&apply->result.drift, g_ptr_array_unref);
        g_ptr_array_unref(apply->result.notes);
        g_ptr_array_unref(apply->guest_notes);
        g_free(apply);
}

static void apply_drop(gpointer data) {
        Apply *apply = data;

        call_drop(apply->call);
        apply_free(apply);
}

static void apply_fail(Apply *apply, const GError *error) {
        call_fail(apply->call, error);
        apply_free(apply);
}

/* An operation has ended, and hands the call back. False: with @error, which is the answer. */
static bool apply_resume(Apply *apply, Call *call, const GError *error) {
        apply->call = call;
        if (error)
                apply_fail(apply, error);
        return !error;
}

static void apply_reply(Apply *apply) {
        ApplyResult *result = &apply->result;
        const Host *host = apply->services->state->host;

        result->drift = apply->settings ? desired_drift(apply->settings, host, apply->when & REQUEST_NEXT_BOOT)
                                        : g_ptr_array_new();
        g_ptr_array_extend_and_steal(result->notes, g_steal_pointer(&apply->guest_notes));
        apply->guest_notes = g_ptr_array_new();
        call_reply(apply->call, apply_result_describe(result));
        apply_free(apply);
}

/* The guests */

static bool has_guests(const Apply *apply) {
        return apply->content.guests && !apply->image && desired_has_guests(apply->content.desired);
}

static void choose_guests(gpointer data, GHashTable *names, GPtrArray *targets, GuestsResult *result) {
        Apply *apply = data;

        g_ptr_array_set_size(apply->guest_notes, 0);
        desired_guests(apply->content.desired, names, targets, apply->guest_notes);
}

static void take_guests(Apply *apply, const GuestsResult *result, bool dry_run) {
        g_autoptr(GVariant) tuple = g_variant_ref_sink(guests_result_describe(result, dry_run));

        g_clear_pointer(&apply->result.guests, g_variant_unref);
        apply->result.guests = g_variant_get_child_value(tuple, 0);
}

static void on_guests(Call *call, const GuestsResult *result, const GError *error, gpointer data) {
        Apply *apply = data;

        apply->call = call;
        if (error) {
                /* The host's half is done, and must not be hidden by it. */
                g_autoptr(GuestsResult) none = guests_result_new();
                guests_result_add_failure(none, "*", error);
                take_guests(apply, none, false);
        } else
                take_guests(apply, result, false);
        apply_reply(apply);
}

static void change_guests(Apply *apply) {
        const GuestsTask task = {.choose = choose_guests, .done = on_guests, .drop = apply_free, .data = apply};

        /* Nobody was asked about them: there is nothing to do. */
        if (!apply->caller.sender) {
                apply_reply(apply);
                return;
        }
        operation_guests_begin(apply->object, g_steal_pointer(&apply->call), &task, false, &apply->caller);
}

/* The host */

static bool fill(gpointer data, const Host *host, Request *request, GError **error) {
        Apply *apply = data;
        g_ptr_array_set_size(apply->result.notes, 0);
        g_clear_pointer(&apply->settings, g_ptr_array_unref);
        g_clear_pointer(&apply->applied, applied_free);
        apply->settings = apply->image ? desired_settings_anywhere(apply->content.desired, error)
                                       : desired_settings(apply->content.desired, host, apply->result.notes, error);
        if (!apply->settings)
                return false;
        if (apply->of_folders) {
                apply->applied = applied_read(host->root, error);
                if (!apply->applied)
                        return false;
        }
        if (!(apply->image ? applied_request_unseen : applied_request)(apply->applied, apply->settings, host, request,
                                                                       error))
                return false;
        if (apply->applied) {
                g_free(apply->record);
                apply->record = applied_next(apply->applied, apply->settings, host, request);
                request->applies = true;
                request->applied = g_strdup(apply->record);
        }
        return true;
}

static void take_host(Apply *apply, const ChangeResult *result) {
        g_autoptr(GVariant) tuple = g_variant_ref_sink(describe_change(result));

        g_clear_pointer(&apply->result.host, g_variant_unref);
        apply->result.host = g_variant_get_child_value(tuple, 0);
}

static void on_host(Call *call, const ChangeResult *result, const GError *error, gpointer data) {
        Apply *apply = data;

        if (!apply_resume(apply, call, error))
                return;
        take_host(apply, result);
        change_guests(apply);
}

static bool host_differs(const Apply *apply) {
        const char *outcome = "unchanged";

        if (apply->result.host)
                (void) g_variant_lookup(apply->result.host, "Outcome", "&s", &outcome);
        return !g_str_equal(outcome, "unchanged");
}

static void begin_host(Apply *apply, bool looking,
                       void (*done)(Call *call, const ChangeResult *result, const GError *error, gpointer data)) {
        const OperationTask task = {.fill = fill, .done = done, .drop = apply_free, .data = apply};
        Call *call = g_steal_pointer(&apply->call);

        operation_begin(apply->services, call, apply->when | apply->holders | (looking ? REQUEST_DRY_RUN : 0), &task);
}

/* As it is already, but for the record, of which no transaction is needed. In a turn, as a change
 * writes there, too. */
static bool keep_record(gpointer data) {
        Apply *apply = data;
        g_autoptr(GError) error = NULL;

        if (!applied_write(apply->applied, apply->services->state->root, apply->record, &error))
                g_ptr_array_add(apply->result.notes,
                                g_strdup_printf("What was applied can't be written down: %s", error->message));
        change_guests(apply);
        return false;
}

static void change_host(Apply *apply) {
        if (host_differs(apply))
                begin_host(apply, false, on_host);
        else if (apply->applied && !applied_is(apply->applied, apply->record))
                call_ask_turn(apply->call, apply->services->queue, keep_record, apply_drop, apply);
        else
                change_guests(apply);
}

/* First all of it is looked at */

static void on_guests_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Apply *apply = userdata;

        if (verdict == VERDICT_YES) {
                apply->caller = caller_copy(caller);
                change_host(apply);
        } else if (verdict == VERDICT_NO)
                apply_fail(apply, error);
        else
                apply_drop(apply);
}

static void ask_for_guests(Apply *apply) {
        g_autofree char *names = apply_result_guests_say(apply->result.guests);
        const AuthorityDetails details = {.action = ACTION_MANAGE_GUESTS, .guest = names, .when = "now"};

        authority_ask(apply->services->authority, apply->call->message, &details, on_guests_verdict, apply);
}

static void decide(Apply *apply) {
        if (apply->dry_run)
                apply_reply(apply);
        else if (apply_result_guests_differ(apply->result.guests))
                ask_for_guests(apply);
        else
                change_host(apply);
}

static void on_guests_looked(Call *call, const GuestsResult *result, const GError *error, gpointer data) {
        Apply *apply = data;

        if (!apply_resume(apply, call, error))
                return;
        take_guests(apply, result, true);
        decide(apply);
}

static void look_at_guests(Apply *apply) {
        const GuestsTask task = {.choose = choose_guests, .done = on_guests_looked, .drop = apply_free, .data = apply};

        if (!has_guests(apply)) {
                decide(apply);
                return;
        }
        operation_guests_begin(apply->object, g_steal_pointer(&apply->call), &task, true, NULL);
}

static void on_host_looked(Call *call, const ChangeResult *result, const GError *error, gpointer data) {
        Apply *apply = data;

        if (!apply_resume(apply, call, error))
                return;
        take_host(apply, result);
        look_at_guests(apply);
}

static uint64_t flags_of(const char *when) {
        if (g_str_equal(when, "boot"))
                return REQUEST_NEXT_BOOT;
        return g_str_equal(when, "idle") ? REQUEST_WHEN_IDLE : 0;
}

/* Nobody else must write there, and it must not be what somebody works in. */
static bool take_image(Apply *apply, GError **error) {
        const Root *root = apply->services->state->root;

        if (root_exists(root, "run/systemd/system")) {
                g_set_error_literal(error, CONDITION, CONDITION_UNSUPPORTED,
                                    "That is the root of a running system, and is changed by its own nestvirtd: "
                                    "nestvirtctl apply, without --root=");
                return false;
        }
        if (desired_has_guests(apply->content.desired))
                g_ptr_array_add(apply->guest_notes, g_strdup("Guests are left to nestvirt-apply-guests.service, when "
                                                             "the host has booted"));
        if (apply->dry_run)
                return true;
        apply->lock = lock_take(root, error);
        if (apply->lock < 0 && error && !*error)
                g_set_error_literal(error, CONDITION, CONDITION_ACCESS_DENIED,
                                    "Not allowed: you have no right to write there. Do it as the owner of the tree");
        return apply->lock >= 0;
}

/* The caller is known, and has not too many calls. */
static void apply_begin(gpointer data) {
        Apply *apply = data;
        g_autoptr(GError) error = NULL;

        apply->of_folders = !apply->content.desired;
        if (apply->of_folders)
                apply->content.desired = desired_read(apply->services->state->root, NULL, &error);
        if (!apply->content.desired || (apply->image && !take_image(apply, &error))) {
                apply_fail(apply, error);
                return;
        }
        apply->result.when = apply->image ? "boot" : apply->content.when ?: desired_when(apply->content.desired);
        apply->when = flags_of(apply->result.when);
        if (apply->content.parameters)
                begin_host(apply, true, on_host_looked);
        else
                look_at_guests(apply);
}

int method_apply(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        Services *services = object_services(object);
        g_autoptr(GError) refused = NULL;
        ApplyContent content = {};
        uint64_t flags;

        Call *call = call_read_flags(message, REQUEST_DRY_RUN | REQUEST_HOLDERS, &flags, &refused) &&
                                                     apply_content_read(message, &content, &refused)
                                     ? call_new(services->calls, message, &refused)
                                     : NULL;
        if (!call) {
                apply_content_clear(&content);
                return call_refuse(error, refused);
        }

        call->weight = CALL_HEAVY;
        Apply *apply = g_new0(Apply, 1);
        *apply = (Apply) {
                        .services = services,
                        .object = object,
                        .call = call,
                        .content = content,
                        .dry_run = flags & REQUEST_DRY_RUN,
                        .holders = flags & REQUEST_HOLDERS,
                        .image = !sd_bus_message_get_sender(message),
                        .lock = -1,
                        .guest_notes = g_ptr_array_new_with_free_func(g_free),
                        .result = {.notes = g_ptr_array_new_with_free_func(g_free), .dry_run = flags & REQUEST_DRY_RUN},
        };
        call_admit(call, apply_begin, apply_drop, apply);
        return 1;
}
