/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method EnsureDevice: what there is to mend, who may, and in a turn of its own, that it is
 * mended. How is the device's. */

#include "describe-reply.h"
#include "log-change.h"
#include "methods.h"
#include "request.h"
#include "services.h"

#define ENSURE_TITLE "mend /dev/kvm"

typedef struct Ensure {
        Services *services;
        Call *call;
        Caller caller; /* known from the authorisation on */
        GPtrArray *steps;
        bool dry_run;
} Ensure;

static void ensure_free(Ensure *ensure) {
        caller_clear(&ensure->caller);
        g_clear_pointer(&ensure->steps, g_ptr_array_unref);
        g_free(ensure);
}

static void ensure_drop(gpointer data) {
        Ensure *ensure = data;

        call_drop(ensure->call);
        ensure_free(ensure);
}

/* @error may be NULL. */
static void ensure_end(Ensure *ensure, const char *outcome, const GError *error) {
        if (error)
                call_fail(ensure->call, error);
        else
                call_reply(ensure->call, describe_outcome(outcome, ensure->steps));
        ensure_free(ensure);
}

static void on_ensured(const GError *error, gpointer data) {
        Ensure *ensure = data;
        Services *services = ensure->services;

        log_change(ensure->services->log_budget, &ensure->caller, ENSURE_TITLE, "applied", error);
        ensure_end(ensure, "applied", error);
        operation_queue_end(services->queue);
}

static bool ensure_execute(gpointer data) {
        Ensure *ensure = data;

        if (caller_is_gone(&ensure->caller)) {
                ensure_drop(ensure);
                return false;
        }
        device_ensure(ensure->services->device, on_ensured, ensure_drop, ensure);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Ensure *ensure = userdata;

        if (verdict == VERDICT_YES) {
                ensure->caller = caller_copy(caller);
                call_ask_turn(ensure->call, ensure->services->queue, ensure_execute, ensure_drop, ensure);
        } else if (verdict == VERDICT_NO) {
                log_change(ensure->services->log_budget, caller, ENSURE_TITLE, NULL, error);
                ensure_end(ensure, NULL, error);
        } else
                ensure_drop(ensure);
}

static bool ensure_judge(gpointer data) {
        Ensure *ensure = data;
        Services *services = ensure->services;
        g_autoptr(GError) error = NULL;

        host_state_refresh_since(services->state, ensure->call->asked);
        ensure->steps = device_plan(services->state, &error);
        if (!ensure->steps)
                ensure_end(ensure, NULL, error);
        else if (ensure->steps->len == 0)
                ensure_end(ensure, "unchanged", NULL);
        else if (ensure->dry_run)
                ensure_end(ensure, "planned", NULL);
        else
                authority_ask(services->authority, ensure->call->message, NULL, on_verdict, ensure);
        return false;
}

int method_ensure_device(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        uint64_t flags;
        Call *call;

        int r = call_take(services->calls, message, REQUEST_DRY_RUN, &flags, &call, error);
        if (r < 0)
                return r;

        Ensure *ensure = g_new0(Ensure, 1);
        *ensure = (Ensure) {.services = services, .call = call, .dry_run = flags & REQUEST_DRY_RUN};
        call_ask_turn(call, services->queue, ensure_judge, ensure_drop, ensure);
        return 1;
}
