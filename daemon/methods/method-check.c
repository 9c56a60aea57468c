/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method Check: in a turn, the device is tried by its helper, and the host read with what is
 * around it. The answer is kept for all who asked before that was begun, and each of them has it in
 * a turn of their own. */

#include "check.h"
#include "check-facts.h"
#include "describe-reply.h"
#include "methods.h"
#include "services.h"

struct Findings {
        GVariant *answer; /* NULL: none yet */
        gint64 begun;     /* g_get_monotonic_time() */
        gint64 read;      /* the reading of the host that it was made of */
};

typedef struct Check {
        Services *services;
        Call *call;
        gint64 begun;
} Check;

Findings *findings_new(void) {
        return g_new0(Findings, 1);
}

void findings_free(Findings *findings) {
        if (!findings)
                return;
        g_clear_pointer(&findings->answer, g_variant_unref);
        g_free(findings);
}

static void check_drop(gpointer data) {
        g_autofree Check *check = data;

        call_drop(check->call);
}

static void check_reply(Check *check) {
        call_reply(check->call, check->services->findings->answer);
        g_free(check);
}

static void find(const Check *check, const char *device) {
        Findings *findings = check->services->findings;
        HostState *state = check->services->state;

        /* The helper may have left what the CPU's registers say. */
        host_state_refresh(state);
        g_autoptr(CheckFacts) around = check_facts_read(state->host);
        around->guests_left_out = guests_left_out(check->services->guests);
        around->guests_unasked = guests_unasked(check->services->guests);
        around->guests_hidden = guests_are_hidden(check->services->guests);
        g_autoptr(GPtrArray) found = check_host(state->host, around, device);
        g_clear_pointer(&findings->answer, g_variant_unref);
        findings->answer = g_variant_ref_sink(describe_findings(found));
        findings->begun = check->begun;
        findings->read = state->refreshed;
}

static void on_checked(const char *word, gpointer data) {
        Check *check = data;
        OperationQueue *queue = check->services->queue;

        find(check, word);
        check_reply(check);
        operation_queue_end(queue);
}

static bool check_begin(gpointer data) {
        Check *check = data;
        const Services *services = check->services;
        const Findings *findings = services->findings;

        if (findings->answer && findings->begun > check->call->asked && findings->read == services->state->refreshed) {
                check_reply(check);
                return false;
        }
        check->begun = g_get_monotonic_time();
        /* Beneath another root the node is all that there is to look at. */
        if (services->state->loader->inert) {
                find(check, "");
                check_reply(check);
                return false;
        }
        device_check(services->device, on_checked, check_drop, check);
        return true;
}

int method_check(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        if (r < 0)
                return r;

        Check *check = g_new0(Check, 1);
        *check = (Check) {.services = services, .call = call};
        call_ask_turn(call, services->queue, check_begin, check_drop, check);
        return 1;
}
