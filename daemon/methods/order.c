/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stages of one order: judged (a turn, so that the host is at rest), looked at (readings on
 * their worker: a dry run, or who is in the way), authorised, carried out (another turn, planned
 * afresh). Whatever ends it answers the call. */

#include <string.h>

#include "describe-reply.h"
#include "error.h"
#include "log-change.h"
#include "order.h"
#include "plan.h"

typedef struct Order {
        Services *services;
        Call *call;
        char *module;  /* the words point to it, and into the call */
        GArray *words; /* what is asked for */
        uint64_t flags;
        Request *request;
        Caller caller; /* known from the authorisation on */
} Order;

/* What a worker gets: nothing else of the order is touched by its thread. */
typedef struct Job {
        Order *order;
        Plan *plan;
        Root *root;
        Loader *loader;
        Readings *readings;
        gint64 asked;
        GPtrArray *impact; /* on guests, as of the plan */
        ChangeResult *result;
} Job;

static void order_free(Order *order) {
        g_array_unref(order->words);
        g_free(order->module);
        caller_clear(&order->caller);
        g_clear_pointer(&order->request, request_free);
        g_free(order);
}

static void order_drop(gpointer data) {
        Order *order = data;

        call_drop(order->call);
        order_free(order);
}

static void order_reply(Order *order, GVariant *body) {
        call_reply(order->call, body);
        order_free(order);
}

static void order_fail(Order *order, const GError *error) {
        call_fail(order->call, error);
        order_free(order);
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

        order_drop(job->order);
        job_free(job);
}

static Job *job_new(Order *order, Plan *plan) {
        const Services *services = order->services;
        Job *job = g_new0(Job, 1);

        *job = (Job) {
                        .order = order,
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
                order_fail(job->order, result->error);
                return;
        }
        g_ptr_array_extend_and_steal(result->impact, g_steal_pointer(&job->impact));
        order_reply(job->order, describe_change(result));
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
        Order *order = job->order;
        Services *services = order->services;

        /* The signals first: who has the reply has seen them. */
        host_state_refresh(services->state);
        if (!job->plan->unchanged)
                log_change(&order->caller, job->plan->title, job->result->outcome, job->result->error);
        job_reply(job);
        job_free(job);
        turns_end(services->turns);
}

/* The order's plan for the host as it is now, or NULL, and the order is answered and gone. */
static Plan *order_plan(Order *order, bool authorised) {
        Services *services = order->services;
        g_autoptr(GError) error = NULL;
        Plan *plan = plan_new(services->state->host, services->state->loader, order->request, &error);

        if (plan)
                return plan;
        if (authorised) {
                g_autofree char *title = request_to_string(order->request);
                log_change(&order->caller, title, NULL, error);
        }
        order_fail(order, error);
        return NULL;
}

/* The host is at rest, and the caller may. */
static bool order_execute(gpointer data) {
        Order *order = data;
        Services *services = order->services;

        if (caller_is_gone(&order->caller)) {
                order_drop(order);
                return false;
        }
        host_state_refresh(services->state);
        Plan *plan = order_plan(order, true);
        if (!plan)
                return false;
        worker_submit(services->changes, job_run, on_changed, job_drop, job_new(order, plan), NULL);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Order *order = userdata;

        switch (verdict) {
        case VERDICT_YES:
                order->caller = caller_copy(caller);
                turns_ask(order->services->turns, order_execute, order_drop, order);
                return;
        case VERDICT_NO: {
                g_autofree char *title = request_to_string(order->request);
                log_change(caller, title, NULL, error);
                order_fail(order, error);
                return;
        }
        case VERDICT_GONE:
        default:
                order_drop(order);
        }
}

static void order_authorise(Order *order) {
        g_autofree char *modules = request_modules(order->request);
        g_autofree char *parameters = request_to_string(order->request);
        const AuthorityDetails details = {
                        .module = modules,
                        .parameters = parameters,
                        .when = request_when(order->request),
        };

        authority_ask(order->services->authority, order->call->message, &details, on_verdict, order);
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
        g_autoptr(GPtrArray) users = readings_users(job->readings, job->asked);

        job->result = change_result_new();
        job->result->error = change_busy(job->plan, users);
}

static void job_preview(gpointer data) {
        Job *job = data;
        g_autoptr(GPtrArray) users = plan_reloads(job->plan) ? readings_users(job->readings, job->asked) : NULL;

        job->result = change_preview(job->plan, job->root, users);
}

/* The host is at rest: is there anything to do, and could it be done? Nothing here has side
 * effects. */
static bool order_judge(gpointer data) {
        Order *order = data;
        Services *services = order->services;
        g_autoptr(GError) error = NULL;

        host_state_refresh(services->state);
        order->request = request_new(order->flags);
        if (!order_apply(order->words, services->state->host, order->request, &error)) {
                order_fail(order, error);
                return false;
        }
        Plan *plan = order_plan(order, false);
        if (!plan)
                return false;

        const bool waits = order->flags & REQUEST_WHEN_IDLE;
        if (plan->unchanged || order->flags & REQUEST_DRY_RUN)
                worker_submit(services->readings->worker, job_preview, on_looked, job_drop, job_new(order, plan), NULL);
        else if (!waits && is_blocked(services->state->host, plan))
                worker_submit(services->readings->worker, job_scan, on_looked, job_drop, job_new(order, plan), NULL);
        else {
                plan_free(plan);
                order_authorise(order);
        }
        return false;
}

int order_take(Services *services, sd_bus_message *message, const char *module, OrderRead read, uint64_t allowed_flags,
               sd_bus_error *error) {
        g_autoptr(GError) refused = NULL;
        g_autofree char *object = g_strdup(module);
        g_autoptr(GArray) words = NULL;
        uint64_t flags;

        if (call_read_flags(message, allowed_flags, &flags, &refused))
                words = read(message, object, &refused);
        Call *call = words ? call_new(services->calls, message, &refused) : NULL;
        if (!call)
                return call_refuse(error, refused);

        Order *order = g_new0(Order, 1);
        *order = (Order) {
                        .services = services,
                        .call = call,
                        .module = g_steal_pointer(&object),
                        .words = g_steal_pointer(&words),
                        .flags = flags,
        };
        turns_ask(services->turns, order_judge, order_drop, order);
        return 1;
}
