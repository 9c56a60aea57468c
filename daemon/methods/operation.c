/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The stages of one operation: judged (a turn, so that the host is at rest), looked at (readings on
 * their worker: a dry run, or who is in the way), authorised, carried out (another turn, planned
 * afresh). Whatever ends it answers the call. */

#include <string.h>

#include "alteration.h"
#include "describe-reply.h"
#include "error.h"
#include "foresight.h"
#include "log-change.h"
#include "operation.h"
#include "plan.h"
#include "plan-draft.h"

/* So long at most those in the way who go by themselves are waited for. */
#define PATIENCE_USEC (10 * G_USEC_PER_SEC)
/* A process that ends lets go of its descriptors a moment before KVM lets go of the module
 * (kernel/exit.c: exit_files() comes before exit_task_work()): then nobody is found, and it is
 * looked again so often, ever later. */
#define LAST_MOMENTS 3U
#define LAST_MOMENT_USEC (50U * 1000U)

typedef struct Operation {
        Services *services;
        Call *call;
        OperationTask task; /* what is asked for, and who gets the answer */
        uint64_t flags;
        gint64 asked; /* what was read since then will do */
        Request *request;
        Alterations *alterations; /* of the plan that is carried out, or of a dry run's */
        Caller caller;            /* known from the authorisation on */
        OperationBegin stage;     /* the one under way */
        gint64 until;             /* what is in the way is waited for; 0: nothing was yet */
        unsigned moments;
} Operation;

/* What a worker gets: nothing else of the operation is touched by its thread. */
typedef struct Job {
        Operation *operation;
        Plan *plan;
        Root *root;
        Loader *loader;
        Readings *readings;
        WorkerRun look; /* before anybody was asked for a password */
        bool held;      /* who holds KVM is looked for, as somebody does, or may */
        bool hidden;    /* guests are */
        bool all;       /* it may see all of it */
        uid_t uid;
        gint64 asked;
        Users *users; /* when they are */
        Passing passing;
        GPtrArray *impact; /* on guests, as of the plan */
        ChangeResult *result;
} Job;

static bool operation_judge(gpointer data);

static void operation_free(Operation *operation) {
        caller_clear(&operation->caller);
        g_clear_pointer(&operation->request, request_free);
        g_clear_pointer(&operation->alterations, alterations_free);
        g_free(operation);
}

static void operation_drop(gpointer data) {
        Operation *operation = data;

        call_drop(operation->call);
        operation->task.drop(operation->task.data);
        operation_free(operation);
}

static void operation_done(Operation *operation, const ChangeResult *result, const GError *error) {
        operation->task.done(operation->call, result, error, operation->task.data);
        operation_free(operation);
}

static void operation_fail(Operation *operation, const GError *error) {
        operation_done(operation, NULL, error);
}

static void job_free(gpointer data) {
        Job *job = data;

        plan_free(job->plan);
        root_unref(job->root);
        passing_clear(&job->passing);
        g_clear_pointer(&job->users, users_unref);
        g_clear_pointer(&job->impact, g_ptr_array_unref);
        g_clear_pointer(&job->result, change_result_free);
        g_free(job);
}

static void job_drop(gpointer data) {
        operation_drop(((Job *) data)->operation);
        job_free(data);
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
                        .hidden = guests_are_hidden(services->guests),
                        .uid = call_uid(operation->call),
                        .asked = operation->asked,
                        .impact = g_ptr_array_new_with_free_func((GDestroyNotify) impact_free),
        };
        passing_copy(guests_passing(services->guests), &job->passing);
        guests_foresee(services->guests, plan, job->impact);
        return job;
}

/* Of those who hold KVM, what the caller may be told; NULL when nobody looked. */
static Users *job_shown(const Job *job, Users *users) {
        return !users ? NULL : job->all ? users_ref(users) : users_of(users, job->uid);
}

static void job_reply(Job *job) {
        ChangeResult *result = job->result;

        if (result->error) {
                const bool asked = job->operation->flags & REQUEST_HOLDERS;
                g_autoptr(Users) shown = asked ? job_shown(job, result->holders) : NULL;
                if (shown)
                        call_say_more(job->operation->call, describe_users(shown));
                operation_fail(job->operation, result->error);
                return;
        }
        if (job->all || !job->hidden)
                g_ptr_array_extend_and_steal(result->impact, g_steal_pointer(&job->impact));
        else
                result->omitted += job->impact->len;
        alterations_end(job->operation->alterations, job->plan, job->operation->services->state->host, result);
        operation_done(job->operation, result, NULL);
}

static void job_run(gpointer data) {
        Job *job = data;

        job->result = change_run(job->plan, job->root, job->loader);
}

/* The one that was judged, or carried out, is so once more. */
static void operation_again(gpointer data) {
        Operation *operation = data;

        operation->asked = g_get_monotonic_time();
        call_ask_turn(operation->call, operation->services->queue, operation->stage, operation_drop, operation);
}

static GArray *pids_of(const Users *users) {
        GArray *pids = g_array_new(FALSE, FALSE, sizeof(unsigned));

        for (unsigned i = 0; i < users->holders->len; i++)
                g_array_append_val(pids, ((const User *) g_ptr_array_index(users->holders, i))->pid);
        return pids;
}

/* Nobody is found though the module is in use. One that was begun is not begun again on a guess. */
static bool may_be_last_moment(const Operation *operation, const Users *users) {
        return users->holders->len == 0 && !users->perhaps_more && operation->moments < LAST_MOMENTS &&
               (operation->until || operation->stage == operation_judge);
}

/* Whether those in the way are waited for: they are known to go, or on their way out. */
static bool job_put_off(const Job *job) {
        Operation *operation = job->operation;
        const Users *users = job->result->holders;
        const gint64 now = g_get_monotonic_time();
        gint64 usec;

        if (!users)
                return false;
        if (may_be_last_moment(operation, users))
                usec = LAST_MOMENT_USEC << operation->moments++;
        else if (passing_all(&job->passing, users)) {
                operation->until = operation->until ?: now + PATIENCE_USEC;
                usec = operation->until - now;
        } else
                return false;
        if (usec <= 0)
                return false;
        g_autoptr(GArray) pids = pids_of(users);
        return endings_wait(operation->services->endings, pids, (uint64_t) usec, operation_again, operation_drop,
                            operation);
}

/* Nothing that could have changed the host: a dry run, or a plan that has nothing to do, or that
 * somebody is in the way of. */
static void on_looked(gpointer data, gpointer userdata) {
        Job *job = data;

        if (!job_put_off(job))
                job_reply(job);
        job_free(job);
}

static void on_changed(gpointer data, gpointer userdata) {
        Job *job = data;
        Operation *operation = job->operation;
        Services *services = operation->services;

        /* The signals first: who has the reply has seen them. */
        host_state_refresh(services->state);
        if (!job_put_off(job)) {
                if (!job->plan->unchanged)
                        log_change(services->log_budget, &operation->caller, job->plan->title, job->result->outcome,
                                   job->result->error);
                job_reply(job);
        }
        job_free(job);
        operation_queue_end(services->queue);
}

/* The operation's plan for the host as it is now, or NULL, and it is answered and gone. */
static Plan *operation_plan(Operation *operation, bool authorised) {
        Services *services = operation->services;
        g_autoptr(GError) error = NULL;
        g_autoptr(Plan) plan = plan_new(services->state->host, services->state->loader, operation->request, &error);

        g_clear_pointer(&operation->alterations, alterations_free);
        if (plan && (authorised || operation->flags & REQUEST_DRY_RUN))
                operation->alterations = alterations_begin(services->state->host, operation->request, plan, &error);
        if (!error)
                return g_steal_pointer(&plan);
        if (authorised) {
                g_autofree char *title = request_to_string(operation->request);
                log_change(operation->services->log_budget, &operation->caller, title, NULL, error);
        }
        operation_fail(operation, error);
        return NULL;
}

/* The host is at rest, and the caller may. */
static bool operation_execute(gpointer data) {
        Operation *operation = data;
        Services *services = operation->services;

        operation->stage = operation_execute;
        if (caller_is_gone(&operation->caller)) {
                operation_drop(operation);
                return false;
        }
        /* Somebody may have typed a password meanwhile; root was asked for none. */
        const gint64 patience = operation->caller.uid == 0 ? G_USEC_PER_SEC : 0;
        host_state_refresh_since(services->state, g_get_monotonic_time() - patience);
        Plan *plan = operation_plan(operation, true);
        if (!plan)
                return false;
        Job *job = job_new(operation, plan);
        job->all = true; /* who may change it may know */
        worker_submit(services->changes, job_run, on_changed, job_drop, job, NULL);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Operation *operation = userdata;

        switch (verdict) {
        case VERDICT_YES:
                operation->caller = caller_copy(caller);
                call_ask_turn(operation->call, operation->services->queue, operation_execute, operation_drop,
                              operation);
                return;
        case VERDICT_NO: {
                g_autofree char *title = request_to_string(operation->request);
                log_change(operation->services->log_budget, caller, title, NULL, error);
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

static void job_scan(gpointer data) {
        Job *job = data;
        g_autoptr(Users) shown = job_shown(job, job->users);

        job->result = change_result_new();
        job->result->holders = users_ref(job->users);
        job->result->error = change_busy(job->plan, shown);
}

static void job_preview(gpointer data) {
        Job *job = data;
        g_autoptr(Users) shown = job_shown(job, job->users);

        job->result = change_preview(job->plan, job->root, shown, &job->passing);
}

/* There is something that not everybody may be told. */
static bool job_has_secrets(const Job *job) {
        g_autoptr(Users) own = job->users ? users_of(job->users, job->uid) : NULL;

        return job->uid != 0 && ((own && own->others > 0) || (job->impact->len > 0 && job->hidden));
}

/* Who holds KVM, and all the rest when nobody has to be asked in between. */
static void job_look(gpointer data) {
        Job *job = data;

        job->users = job->held ? readings_users(job->readings, job->asked) : NULL;
        job->all = !job_has_secrets(job);
        if (job->all)
                job->look(job);
}

static void on_sight(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Job *job = userdata;

        if (verdict == VERDICT_GONE) {
                job_drop(job);
                return;
        }
        job->all = verdict == VERDICT_YES;
        worker_submit_for(job->readings->worker, job->uid, job->look, on_looked, job_drop, job, NULL);
}

static void on_found(gpointer data, gpointer userdata) {
        Job *job = data;

        if (job->result)
                on_looked(job, NULL);
        else
                authority_ask_details(job->operation->services->authority, job->operation->call->message, on_sight,
                                      job);
}

/* Takes @plan over. */
static void operation_look(Operation *operation, Plan *plan, WorkerRun look) {
        const Readings *readings = operation->services->readings;
        Job *job = job_new(operation, plan);

        job->look = look;
        job->held = foresight_blocked(operation->services->state->host, plan, true);
        worker_submit_for(job->held ? readings->scans : readings->worker, job->uid, job_look, on_found, job_drop, job,
                          NULL);
}

/* The host is at rest: is there anything to do, and could it be done? Nothing here has side
 * effects. */
static bool operation_judge(gpointer data) {
        Operation *operation = data;
        Services *services = operation->services;
        g_autoptr(GError) error = NULL;

        operation->stage = operation_judge;
        host_state_refresh_since(services->state, operation->asked);
        g_clear_pointer(&operation->request, request_free);
        operation->request = request_new(operation->flags & ~(uint64_t) REQUEST_HOLDERS);
        if (!host_is_read(services->state->host, &error) ||
            !operation->task.fill(operation->task.data, services->state->host, operation->request, &error)) {
                operation_fail(operation, error);
                return false;
        }
        Plan *plan = operation_plan(operation, false);
        if (!plan)
                return false;
        const bool waits = operation->flags & REQUEST_WHEN_IDLE;
        if (plan->unchanged || operation->flags & REQUEST_DRY_RUN)
                operation_look(operation, plan, job_preview);
        else if (!waits && foresight_blocked(services->state->host, plan, false))
                operation_look(operation, plan, job_scan);
        else {
                plan_free(plan);
                operation_authorise(operation);
        }
        return false;
}

void operation_begin(Services *services, Call *call, uint64_t flags, const OperationTask *task) {
        Operation *operation = g_new0(Operation, 1);

        *operation = (Operation) {
                        .services = services,
                        .call = call,
                        .task = *task,
                        .flags = flags,
                        .asked = call->asked,
        };
        call_ask_turn(call, services->queue, operation_judge, operation_drop, operation);
}
