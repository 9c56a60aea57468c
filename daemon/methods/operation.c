/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stages of one operation: judged (a turn, so that the host is at rest), looked at (readings on
 * their worker: a dry run, or who is in the way), authorised, carried out (another turn, planned
 * afresh). Whatever ends it answers the call. */

#include <string.h>

#include "describe-reply.h"
#include "error.h"
#include "log-change.h"
#include "operation.h"
#include "plan.h"
#include "plan-draft.h"

typedef struct Operation {
        Services *services;
        Call *call;
        char *module;  /* the words point to it, and into the call */
        GArray *words; /* what is asked for */
        uint64_t flags;
        Request *request;
        Caller caller; /* known from the authorisation on */
} Operation;

/* What a worker gets: nothing else of the operation is touched by its thread. */
typedef struct Job {
        Operation *operation;
        Plan *plan;
        Root *root;
        Loader *loader;
        Readings *readings;
        gint64 asked;
        GPtrArray *impact; /* on guests, as of the plan */
        ChangeResult *result;
} Job;

static void operation_free(Operation *operation) {
        g_array_unref(operation->words);
        g_free(operation->module);
        caller_clear(&operation->caller);
        g_clear_pointer(&operation->request, request_free);
        g_free(operation);
}

static void operation_drop(gpointer data) {
        Operation *operation = data;

        call_drop(operation->call);
        operation_free(operation);
}

static void operation_reply(Operation *operation, GVariant *body) {
        call_reply(operation->call, body);
        operation_free(operation);
}

static void operation_fail(Operation *operation, const GError *error) {
        call_fail(operation->call, error);
        operation_free(operation);
}

static void job_free(gpointer data) {
        Job *job = data;

        plan_free(job->plan);
        root_unref(job->root);
        g_clear_pointer(&job->impact, g_ptr_array_unref);
        g_clear_pointer(&job->result, change_result_free);
        g_free(job);
}

static void job_drop(gpointer data) {
        Job *job = data;

        operation_drop(job->operation);
        job_free(job);
}

static Job *job_new(Operation *operation, Plan *plan) {
        const Services *services = operation->services;
        Job *job = g_new0(Job, 1);

        *job = (Job) {
                        .operation = operation,
                        .plan = plan,
                        .root = root_ref(services->state->root),
                        .loader = services->state->loader,
                        .readings = services->readings,
                        .asked = g_get_monotonic_time(),
                        .impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free),
        };
        guests_foresee(services->guests, plan, job->impact);
        return job;
}

static void job_reply(Job *job) {
        ChangeResult *result = job->result;

        if (result->error) {
                operation_fail(job->operation, result->error);
                return;
        }
        g_ptr_array_extend_and_steal(result->impact, g_steal_pointer(&job->impact));
        operation_reply(job->operation, describe_change(result));
}

static void job_run(gpointer data) {
        Job *job = data;

        job->result = change_run(job->plan, job->root, job->loader);
}

/* Nothing that could have changed the host: a dry run, or a plan that has nothing to do. */
static void on_looked(gpointer data, gpointer userdata) {
        Job *job = data;

        job_reply(job);
        job_free(job);
}

static void on_changed(gpointer data, gpointer userdata) {
        Job *job = data;
        Operation *operation = job->operation;
        Services *services = operation->services;

        /* The signals first: who has the reply has seen them. */
        host_state_refresh(services->state);
        if (!job->plan->unchanged)
                log_change(&operation->caller, job->plan->title, job->result->outcome, job->result->error);
        job_reply(job);
        job_free(job);
        operation_queue_end(services->queue);
}

/* The operation's plan for the host as it is now, or NULL, and it is answered and gone. */
static Plan *operation_plan(Operation *operation, bool authorised) {
        Services *services = operation->services;
        g_autoptr(GError) error = NULL;
        Plan *plan = plan_new(services->state->host, services->state->loader, operation->request, &error);

        if (plan)
                return plan;
        if (authorised) {
                g_autofree char *title = request_to_string(operation->request);
                log_change(&operation->caller, title, NULL, error);
        }
        operation_fail(operation, error);
        return NULL;
}

/* The host is at rest, and the caller may. */
static bool operation_execute(gpointer data) {
        Operation *operation = data;
        Services *services = operation->services;

        if (caller_is_gone(&operation->caller)) {
                operation_drop(operation);
                return false;
        }
        host_state_refresh(services->state);
        Plan *plan = operation_plan(operation, true);
        if (!plan)
                return false;
        worker_submit(services->changes, job_run, on_changed, job_drop, job_new(operation, plan), NULL);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Operation *operation = userdata;

        switch (verdict) {
        case VERDICT_YES:
                operation->caller = caller_copy(caller);
                operation_queue_ask(operation->services->queue, operation_execute, operation_drop, operation);
                return;
        case VERDICT_NO: {
                g_autofree char *title = request_to_string(operation->request);
                log_change(caller, title, NULL, error);
                operation_fail(operation, error);
                return;
        }
        case VERDICT_GONE:
        default:
                operation_drop(operation);
        }
}

static void operation_authorise(Operation *operation) {
        g_autofree char *modules = request_modules(operation->request);
        g_autofree char *parameters = request_to_string(operation->request);
        const AuthorityDetails details = {
                        .module = modules,
                        .parameters = parameters,
                        .when = request_when(operation->request),
        };

        authority_ask(operation->services->authority, operation->call->message, &details, on_verdict, operation);
}

/* A module that must go for the plan, and that somebody holds. */
static bool is_blocked(const Host *host, const Plan *plan) {
        for (unsigned i = 0; i < plan->modules->len; i++) {
                const PlanModule *m = g_ptr_array_index(plan->modules, i);
                const Module *module = host_module(host, m->name);
                if (m->required && module && module_in_use(module))
                        return true;
        }
        return false;
}

static void job_scan(gpointer data) {
        Job *job = data;
        g_autoptr(Users) users = readings_users(job->readings, job->asked);

        job->result = change_result_new();
        job->result->error = change_busy(job->plan, users);
}

static void job_preview(gpointer data) {
        Job *job = data;
        g_autoptr(Users) users = plan_reloads(job->plan) ? readings_users(job->readings, job->asked) : NULL;

        job->result = change_preview(job->plan, job->root, users);
}

/* The host is at rest: is there anything to do, and could it be done? Nothing here has side
 * effects. */
static bool operation_judge(gpointer data) {
        Operation *operation = data;
        Services *services = operation->services;
        g_autoptr(GError) error = NULL;

        host_state_refresh(services->state);
        operation->request = request_new(operation->flags);
        if (!host_is_read(services->state->host, &error) ||
            !operation_apply(operation->words, services->state->host, operation->request, &error)) {
                operation_fail(operation, error);
                return false;
        }
        Plan *plan = operation_plan(operation, false);
        if (!plan)
                return false;

        const bool waits = operation->flags & REQUEST_WHEN_IDLE;
        if (plan->unchanged || operation->flags & REQUEST_DRY_RUN)
                worker_submit(plan_reloads(plan) ? services->readings->scans : services->readings->worker, job_preview,
                              on_looked, job_drop, job_new(operation, plan), NULL);
        else if (!waits && is_blocked(services->state->host, plan))
                worker_submit(services->readings->scans, job_scan, on_looked, job_drop, job_new(operation, plan), NULL);
        else {
                plan_free(plan);
                operation_authorise(operation);
        }
        return false;
}

int operation_take(Services *services, sd_bus_message *message, const char *module, OperationRead read,
                   uint64_t allowed_flags, sd_bus_error *error) {
        g_autoptr(GError) refused = NULL;
        g_autofree char *object = g_strdup(module);
        g_autoptr(GArray) words = NULL;
        uint64_t flags;

        if (call_read_flags(message, allowed_flags, &flags, &refused))
                words = read(message, object, &refused);
        Call *call = words ? call_new(services->calls, message, &refused) : NULL;
        if (!call)
                return call_refuse(error, refused);

        Operation *operation = g_new0(Operation, 1);
        *operation = (Operation) {
                        .services = services,
                        .call = call,
                        .module = g_steal_pointer(&object),
                        .words = g_steal_pointer(&words),
                        .flags = flags,
        };
        operation_queue_ask(services->queue, operation_judge, operation_drop, operation);
        return 1;
}
