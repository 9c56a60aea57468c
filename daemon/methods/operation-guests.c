/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The path of one change of many guests' definitions: they are looked at and found by their names,
 * and then each is planned, and carried out before the next is planned: in one go, once it is known
 * that it may be. polkit is asked once, when the first is found of which anything is to be done:
 * nothing has been done by then, and nobody is asked for what changes nothing. Each guest is a
 * change of its own: one that fails undoes no other. What libvirt does not answer in time ends it,
 * as the next would be as late. */

#include "error.h"
#include "guest-look.h"
#include "log.h"
#include "log-change.h"
#include "operation-guests.h"

typedef struct GuestsOperation {
        Services *services;
        Call *call; /* NULL while libvirt is asked, which has it then, and once it is answered */
        GuestsTask task;
        GPtrArray *targets; /* GuestTarget*, from @next on still to do */
        unsigned next;
        bool dry_run, authorised;
        GuestPlan *plan; /* of the target at hand */
        Caller caller;   /* known from the authorisation on */
        GuestsResult *result;
} GuestsOperation;

static void operation_free(gpointer data) {
        GuestsOperation *operation = data;

        if (operation->task.data)
                operation->task.drop(operation->task.data);
        g_ptr_array_unref(operation->targets);
        guest_plan_free(operation->plan);
        caller_clear(&operation->caller);
        guests_result_free(operation->result);
        g_free(operation);
}

static void operation_fail(GuestsOperation *operation, const GError *error) {
        operation->task.done(operation->call, NULL, error, g_steal_pointer(&operation->task.data));
        operation_free(operation);
}

static void operation_drop(GuestsOperation *operation) {
        call_drop(operation->call);
        operation_free(operation);
}

static void operation_reply(GuestsOperation *operation) {
        operation->task.done(g_steal_pointer(&operation->call), operation->result, NULL,
                             g_steal_pointer(&operation->task.data));
}

static GuestWaiter waiter(GuestsOperation *operation, GuestAnswer answer, GuestOutcome outcome) {
        return (GuestWaiter) {
                        .call = g_steal_pointer(&operation->call),
                        .answer = answer,
                        .outcome = outcome,
                        .userdata = operation,
                        .drop = operation_free,
        };
}

/* One after the other */

static const GuestTarget *target_at_hand(const GuestsOperation *operation) {
        return g_ptr_array_index(operation->targets, operation->next);
}

/* For the journal. */
static char *say_change(const GuestsOperation *operation, const char *name) {
        g_autofree char *parameters = guest_edit_to_string(target_at_hand(operation)->edit);

        return g_strdup_printf("%s: %s", name, parameters);
}

/* Nothing was asked about them. */
static void leave_rest(GuestsOperation *operation, const GError *why) {
        g_autoptr(GError) error = g_error_new(CONDITION, condition_of(why),
                                              "Not tried, as of the guest before it was said: %s", why->message);

        for (; operation->next < operation->targets->len; operation->next++)
                guests_result_add_failure(operation->result, target_at_hand(operation)->name, error);
}

static void on_planned(Call *call, GuestFound *found, const GError *error, gpointer userdata);
static void on_edited(Call *call, GuestFound *found, const GError *error, gpointer userdata);
static void on_outcome(const GError *error, gpointer userdata);

static void plan_target(GuestsOperation *operation) {
        const GuestWaiter next = waiter(operation, on_planned, NULL);

        guests_plan(operation->services->guests, &next, target_at_hand(operation)->uuid,
                    target_at_hand(operation)->edit, true);
}

static void edit_target(GuestsOperation *operation) {
        const GuestWaiter next = waiter(operation, on_edited, on_outcome);
        guests_edit(operation->services->guests, &next, target_at_hand(operation)->uuid,
                    target_at_hand(operation)->edit, true);
}

static void operation_go_on(GuestsOperation *operation) {
        if (operation->next == operation->targets->len) {
                operation_reply(operation);
                operation_free(operation);
        } else if (operation->authorised && caller_is_gone(&operation->caller))
                operation_drop(operation);
        else if (operation->authorised && !operation->dry_run)
                edit_target(operation);
        else
                plan_target(operation);
}

/* @error NULL: it went well. */
static void target_done(GuestsOperation *operation, const char *outcome, bool late, const GError *error) {
        if (error)
                guests_result_add_failure(operation->result, target_at_hand(operation)->name, error);
        else
                guests_result_add(operation->result, outcome, operation->plan,
                                  guests_host(operation->services->guests));
        g_clear_pointer(&operation->plan, guest_plan_free);
        operation->next++;
        if (error &&
            (late || condition_of(error) == CONDITION_LIBVIRT_UNAVAILABLE || condition_of(error) == CONDITION_INTERNAL))
                leave_rest(operation, error);
}

static void on_edited(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;
        g_autofree char *title = say_change(operation, target_at_hand(operation)->name);

        operation->call = call;
        if (found->begun) {
                /* What came of it is not known yet: that is on_outcome()'s to log. */
                const unsigned at_hand = operation->next;
                log_error("%s: %s", title, error->message);
                target_done(operation, NULL, true, error);
                operation_reply(operation);
                operation->next = at_hand;
                return;
        }
        operation->plan = g_steal_pointer(&found->plan);
        const bool unchanged = !error && guest_plan_is_unchanged(operation->plan);
        /* What could not be planned was not tried. */
        if (!unchanged && (operation->plan || found->late))
                log_change(operation->services->log_budget, &operation->caller, title, "applied", error);
        target_done(operation, unchanged ? "unchanged" : "applied", found->late, error);
        operation_go_on(operation);
}

/* Its caller was told that it is late; the journal has what came of it all the same. */
static void on_outcome(const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;
        g_autofree char *title = say_change(operation, target_at_hand(operation)->name);

        log_change(operation->services->log_budget, &operation->caller, title, "applied", error);
        operation_free(operation);
}

static void define(GuestsOperation *operation) {
        if (caller_is_gone(&operation->caller)) {
                operation_drop(operation);
                return;
        }
        const GuestWaiter next = waiter(operation, on_edited, on_outcome);
        guests_define(operation->services->guests, &next, g_steal_pointer(&operation->plan));
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        GuestsOperation *operation = userdata;

        if (verdict == VERDICT_YES) {
                operation->caller = caller_copy(caller);
                operation->authorised = true;
                define(operation);
        } else if (verdict == VERDICT_NO) {
                g_autofree char *names = guest_targets_say(operation->targets), *title = say_change(operation, names);
                log_change(operation->services->log_budget, caller, title, NULL, error);
                operation_fail(operation, error);
        } else
                operation_drop(operation);
}

static void authorise(GuestsOperation *operation) {
        g_autofree char *parameters = guest_edit_to_string(target_at_hand(operation)->edit),
                        *names = guest_targets_say(operation->targets);
        const AuthorityDetails details = {.guest = names, .parameters = parameters, .when = "now"};

        authority_ask(operation->services->authority, operation->call->message, &details, on_verdict, operation);
}

static void on_planned(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;
        const bool unchanged = !error && guest_plan_is_unchanged(found->plan);

        operation->call = call;
        operation->plan = g_steal_pointer(&found->plan);
        if (error || unchanged || operation->dry_run) {
                target_done(operation, unchanged ? "unchanged" : "planned", found->late, error);
                operation_go_on(operation);
        } else
                authorise(operation);
}

/* Which guests they are */

static void on_looked(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestsOperation *operation = userdata;

        operation->call = call;
        if (error) {
                operation_fail(operation, error);
                return;
        }
        g_autoptr(GHashTable) names = guests_names(operation->services->guests);
        operation->task.choose(operation->task.data, names, operation->targets, operation->result);
        operation_go_on(operation);
}

void operation_guests_begin(const Object *object, Call *call, const GuestsTask *task, bool dry_run,
                            const Caller *authorised) {
        GuestsOperation *operation = g_new0(GuestsOperation, 1);

        *operation = (GuestsOperation) {
                        .services = object_services(object),
                        .call = call,
                        .task = *task,
                        .targets = guest_targets_new(),
                        .dry_run = dry_run,
                        .authorised = authorised != NULL,
                        .result = guests_result_new(),
        };
        if (authorised)
                operation->caller = caller_copy(authorised);
        const GuestWaiter first = waiter(operation, on_looked, NULL);
        guest_look(object, &first, NULL);
}
