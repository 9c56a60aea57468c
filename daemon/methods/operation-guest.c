/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The path of a change of a guest's definition: parsed, planned by the worker that talks to
 * libvirt, authorised, and then that very plan is carried out if the definition is still the one
 * that it was made for. Where polkit is not asked, both are one. It waits for no turn, as the host
 * is not concerned, and knows no XML. */

#include "describe-reply.h"
#include "guest-arguments.h"
#include "log.h"
#include "log-change.h"
#include "methods.h"
#include "request.h"
#include "services.h"

typedef struct GuestOperation {
        Services *services;
        Call *call; /* NULL while libvirt is asked, which has it then */
        char *uuid;
        GuestEdit *edit;
        bool dry_run;
        GuestPlan *plan;
        char *title;   /* "web1: nested=no", for the journal */
        Caller caller; /* known from the authorisation on */
} GuestOperation;

static void operation_free(gpointer data) {
        GuestOperation *operation = data;

        g_free(operation->uuid);
        guest_edit_free(operation->edit);
        guest_plan_free(operation->plan);
        g_free(operation->title);
        caller_clear(&operation->caller);
        g_free(operation);
}

static void operation_drop(gpointer data) {
        GuestOperation *operation = data;

        call_drop(operation->call);
        operation_free(operation);
}

static void operation_fail(GuestOperation *operation, const GError *error) {
        call_fail(operation->call, error);
        operation_free(operation);
}

static void operation_reply(GuestOperation *operation, const char *outcome, const GuestPlan *plan) {
        call_reply(operation->call, describe_guest_change(outcome, plan, guests_host(operation->services->guests)));
        operation_free(operation);
}

/* Who waits for libvirt, in this operation's name. */
static GuestWaiter waiter(GuestOperation *operation, GuestAnswer answer, GuestOutcome outcome) {
        return (GuestWaiter) {
                        .call = g_steal_pointer(&operation->call),
                        .answer = answer,
                        .outcome = outcome,
                        .userdata = operation,
                        .drop = operation_free,
        };
}

/* It was to be carried out, after it was planned or in one with that. */
static void on_edited(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestOperation *operation = userdata;

        operation->call = call;
        if (found->begun) {
                /* What came of it is not known yet: that is on_outcome()'s to log. */
                log_error("%s: %s", operation->title, error->message);
                call_fail(g_steal_pointer(&operation->call), error);
                return;
        }
        operation->plan = g_steal_pointer(&found->plan);
        const bool unchanged = !error && guest_plan_is_unchanged(operation->plan);
        /* What could not be planned was not tried. */
        if (!unchanged && (operation->plan || found->late))
                log_change(operation->services->log_budget, &operation->caller, operation->title, "applied", error);
        if (error)
                operation_fail(operation, error);
        else
                operation_reply(operation, unchanged ? "unchanged" : "applied", operation->plan);
}

/* Its caller was told that it is late; the journal has what came of it all the same. */
static void on_outcome(const GError *error, gpointer userdata) {
        GuestOperation *operation = userdata;

        log_change(operation->services->log_budget, &operation->caller, operation->title, "applied", error);
        operation_free(operation);
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        GuestOperation *operation = userdata;

        if (verdict == VERDICT_YES) {
                operation->caller = caller_copy(caller);
                const GuestWaiter next = waiter(operation, on_edited, on_outcome);
                guests_define(operation->services->guests, &next, g_steal_pointer(&operation->plan));
        } else if (verdict == VERDICT_NO) {
                log_change(operation->services->log_budget, caller, operation->title, NULL, error);
                operation_fail(operation, error);
        } else
                operation_drop(operation);
}

/* For the journal. */
static char *say_change(const GuestOperation *operation) {
        const GuestFacts *facts = guests_find(operation->services->guests, operation->uuid);
        g_autofree char *parameters = guest_edit_to_string(operation->edit);

        return g_strdup_printf("%s: %s", facts ? facts->name : operation->uuid, parameters);
}

static void authorise(GuestOperation *operation) {
        g_autofree char *parameters = guest_edit_to_string(operation->edit);
        const AuthorityDetails details = {
                        .guest = operation->plan->facts->name, .parameters = parameters, .when = "now"};

        authority_ask(operation->services->authority, operation->call->message, &details, on_verdict, operation);
}

static void on_planned(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestOperation *operation = userdata;

        operation->call = call;
        operation->plan = g_steal_pointer(&found->plan);
        if (error)
                operation_fail(operation, error);
        else if (guest_plan_is_unchanged(operation->plan))
                operation_reply(operation, "unchanged", operation->plan);
        else if (operation->dry_run)
                operation_reply(operation, "planned", operation->plan);
        else
                authorise(operation);
}

/* Whoever may without a question has no turn between the plan and what becomes of it. */
static void operation_begin(gpointer data) {
        GuestOperation *operation = data;
        Guests *guests = operation->services->guests;

        operation->title = say_change(operation);
        if (!operation->dry_run &&
            authority_knows(operation->services->authority, operation->call, &operation->caller)) {
                const GuestWaiter only = waiter(operation, on_edited, on_outcome);
                guests_edit(guests, &only, operation->uuid, operation->edit, false);
        } else {
                const GuestWaiter first = waiter(operation, on_planned, NULL);
                guests_plan(guests, &first, operation->uuid, operation->edit, false);
        }
}

static int take(sd_bus_message *message, const Object *object, bool prepare, sd_bus_error *error) {
        Services *services = object_services(object);
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        Call *call = call_read_flags(message, REQUEST_DRY_RUN, &flags, &refused) &&
                                                     guest_arguments_read(message, prepare, edit, &refused)
                                     ? call_new(services->calls, message, &refused)
                                     : NULL;
        if (!call)
                return call_refuse(error, refused);

        GuestOperation *operation = g_new0(GuestOperation, 1);
        *operation = (GuestOperation) {
                        .services = services,
                        .call = call,
                        .uuid = object_guest_uuid(object),
                        .edit = g_steal_pointer(&edit),
                        .dry_run = flags & REQUEST_DRY_RUN,
        };
        call_admit(operation->call, operation_begin, operation_drop, operation);
        return 1;
}

int operation_guest_set_cpu(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return take(message, userdata, false, error);
}

int operation_guest_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return take(message, userdata, true, error);
}
