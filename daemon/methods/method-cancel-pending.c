/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method CancelPending: what waits for idle for a module does so no longer. */

#include "log-change.h"
#include "methods.h"
#include "services.h"

typedef struct Cancel {
        Services *services;
        Call *call;
        char *module;
        Caller caller; /* known from the authorisation on */
} Cancel;

static void cancel_free(Cancel *cancel) {
        caller_clear(&cancel->caller);
        g_free(cancel->module);
        g_free(cancel);
}

static void cancel_drop(gpointer data) {
        Cancel *cancel = data;

        call_drop(cancel->call);
        cancel_free(cancel);
}

static void cancel_log(const Cancel *cancel, const Caller *caller, const GError *error) {
        g_autofree char *title = g_strdup_printf("cancel what waits for %s", cancel->module);

        log_change(cancel->services->log_budget, caller, title, "configured", error);
}

/* @error may be NULL. */
static void cancel_end(Cancel *cancel, const GError *error) {
        if (error)
                call_fail(cancel->call, error);
        else
                call_reply(cancel->call, NULL);
        cancel_free(cancel);
}

static void on_dropped(const GError *error, gpointer userdata) {
        Cancel *cancel = userdata;
        Services *services = cancel->services;

        host_state_refresh(services->state);
        cancel_log(cancel, &cancel->caller, error);
        cancel_end(cancel, error);
        operation_queue_end(services->queue);
}

static bool cancel_execute(gpointer data) {
        Cancel *cancel = data;

        if (caller_is_gone(&cancel->caller)) {
                cancel_drop(cancel);
                return false;
        }
        idle_drop(cancel->services->idle, cancel->module, on_dropped, cancel_drop, cancel);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Cancel *cancel = userdata;

        if (verdict == VERDICT_YES) {
                cancel->caller = caller_copy(caller);
                call_ask_turn(cancel->call, cancel->services->queue, cancel_execute, cancel_drop, cancel);
        } else if (verdict == VERDICT_NO) {
                cancel_log(cancel, caller, error);
                cancel_end(cancel, error);
        } else
                cancel_drop(cancel);
}

static bool cancel_judge(gpointer data) {
        Cancel *cancel = data;
        Services *services = cancel->services;

        host_state_refresh_since(services->state, cancel->call->asked);
        if (g_hash_table_contains(services->state->host->pending, cancel->module))
                authority_ask(services->authority, cancel->call->message,
                              &(AuthorityDetails) {.module = cancel->module}, on_verdict, cancel);
        else
                cancel_end(cancel, NULL);
        return false;
}

int method_cancel_pending(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        Services *services = object_services(object);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        if (r < 0)
                return r;

        Cancel *cancel = g_new0(Cancel, 1);
        *cancel = (Cancel) {.services = services, .call = call, .module = g_strdup(object->module)};
        call_ask_turn(call, services->queue, cancel_judge, cancel_drop, cancel);
        return 1;
}
