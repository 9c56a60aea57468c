/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The path of a change of a guest's definition: parsed, planned by the worker that talks to
 * libvirt, authorised, and then that very plan is carried out if the definition is still the one
 * that it was made for. It waits for no turn, as the host is not concerned, and knows no XML. */

#include <errno.h>
#include <string.h>

#include "describe-reply.h"
#include "error.h"
#include "log.h"
#include "log-change.h"
#include "methods.h"
#include "request.h"
#include "services.h"

#define WORD_MAX 64U
/* Of SetCpu; Prepare has fewer. */
#define OPTIONS_MAX 3U

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

static void on_defined(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        GuestOperation *operation = userdata;

        operation->call = call;
        if (found->begun) {
                /* What came of it is not known yet: that is on_outcome()'s to log. */
                log_error("%s: %s", operation->title, error->message);
                call_fail(g_steal_pointer(&operation->call), error);
                return;
        }
        log_change(operation->services->log_budget, &operation->caller, operation->title, "applied", error);
        operation->plan = g_steal_pointer(&found->plan);
        if (error)
                operation_fail(operation, error);
        else
                operation_reply(operation, "applied", operation->plan);
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
                const GuestWaiter next = waiter(operation, on_defined, on_outcome);
                guests_define(operation->services->guests, &next, g_steal_pointer(&operation->plan));
        } else if (verdict == VERDICT_NO) {
                log_change(operation->services->log_budget, caller, operation->title, NULL, error);
                operation_fail(operation, error);
        } else {
                call_drop(operation->call);
                operation_free(operation);
        }
}

static void authorise(GuestOperation *operation) {
        g_autofree char *parameters = guest_edit_to_string(operation->edit);
        const AuthorityDetails details = {
                        .guest = operation->plan->facts->name, .parameters = parameters, .when = "now"};

        operation->title = g_strdup_printf("%s: %s", operation->plan->facts->name, parameters);
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

/* The arguments */

static bool fail_read(int r, GError **error) {
        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
        return false;
}

static bool take_word(const char *key, const char *word, char **ret, GError **error) {
        const size_t length = strnlen(word, WORD_MAX + 1);

        if (length == 0 || length > WORD_MAX || strspn(word, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-") != length) {
                g_autofree char *quoted = error_quote(word);
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "%s can't be \"%s\"", key, quoted);
                return false;
        }
        g_free(*ret);
        *ret = g_strdup(word);
        return true;
}

/* One of the members of @edit that are words, or NULL: then it is Nested, or nothing. */
static char **word_of(GuestEdit *edit, const char *key) {
        if (edit->recipe)
                return g_str_equal(key, "Release") ? &edit->release : NULL;
        return g_str_equal(key, "Mode") ? &edit->mode : g_str_equal(key, "Model") ? &edit->model : NULL;
}

static bool read_option(sd_bus_message *message, GuestEdit *edit, GError **error) {
        const char *key, *word;
        char **place;
        int nested, r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &key);

        if (r < 0)
                return fail_read(r, error);
        place = word_of(edit, key);
        if (place) {
                r = sd_bus_message_read(message, "v", "s", &word);
                return r < 0 ? fail_read(r, error) : take_word(key, word, place, error);
        }
        if (edit->recipe || !g_str_equal(key, "Nested")) {
                g_autofree char *quoted = error_quote(key);
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "There is no option \"%s\"; there is %s", quoted,
                            edit->recipe ? "Release" : "Mode, Model and Nested");
                return false;
        }
        r = sd_bus_message_read(message, "v", "b", &nested);
        if (r < 0)
                return fail_read(r, error);
        edit->nested = nested;
        return true;
}

static bool read_options(sd_bus_message *message, GuestEdit *edit, GError **error) {
        unsigned n = 0;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                if (++n > OPTIONS_MAX) {
                        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "An option is given twice");
                        return false;
                }
                if (!read_option(message, edit, error))
                        return false;
                r = sd_bus_message_exit_container(message);
        }
        return r >= 0 || fail_read(r, error);
}

static bool read_arguments(sd_bus_message *message, bool prepare, GuestEdit *edit, GError **error) {
        const char *recipe;
        int r = prepare ? sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &recipe) : 0;

        if (r < 0)
                return fail_read(r, error);
        return (!prepare || take_word("A recipe", recipe, &edit->recipe, error)) &&
               read_options(message, edit, error) && guest_edit_check(edit, error);
}

static int take(sd_bus_message *message, const Object *object, bool prepare, sd_bus_error *error) {
        Services *services = object_services(object);
        g_autoptr(GuestEdit) edit = guest_edit_new();
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        Call *call = call_read_flags(message, REQUEST_DRY_RUN, &flags, &refused) &&
                                                     read_arguments(message, prepare, edit, &refused)
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
        const GuestWaiter first = waiter(operation, on_planned, NULL);
        guests_plan(services->guests, &first, operation->uuid, operation->edit);
        return 1;
}

int operation_guest_set_cpu(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return take(message, userdata, false, error);
}

int operation_guest_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return take(message, userdata, true, error);
}
