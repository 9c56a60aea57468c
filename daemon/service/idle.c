/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting, trying, and telling how it ended. KVM's events come a little before the module is really
 * free (it lets go of its reference after them), so a look that finds it still held is repeated a
 * few times, ever later, and then there is nothing to be done until the next event. */

#include <string.h>

#include "change.h"
#include "change-finished.h"
#include "error.h"
#include "idle.h"
#include "log.h"
#include "log-change.h"
#include "pending.h"
#include "pidfds.h"
#include "plan-draft.h"
#include "request.h"

#define DELAY_FIRST_USEC (100U * 1000U)
/* A holder that was gone before it could be watched is no event of its own. */
#define DELAY_GONE_USEC (5U * 1000U * 1000U)
#define DELAY_ACCURACY_USEC (10U * 1000U)

struct Idle {
        IdleParts parts;
        GHashTable *waiting; /* module -> (parameter -> value): what waited in the snapshot before */
        Pidfds *pidfds;
        sd_event_source *soon;  /* a look as soon as the event has been served */
        sd_event_source *timer; /* a look later */
        uint64_t delay;         /* until the next look, when this one finds KVM in use */
        bool trying;            /* a look waits for its turn, or has become an attempt */
        const char *outcome;    /* of the attempt that is ending the wait, or NULL */
        const char *failure;    /* name of the error that is ending it, or NULL */
};

typedef struct Attempt {
        Idle *idle;
        Plan *plan;
        Root *root;
        Loader *loader;
        ChangeResult *result;
} Attempt;

static GHashTable *values_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static GHashTable *modules_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
}

static bool is_waiting(const Idle *idle) {
        return g_hash_table_size(idle->waiting) > 0;
}

/* What waits now; true when some of it did not wait before. */
static bool take_waiting(Idle *idle) {
        GHashTable *now = modules_new();
        GHashTableIter i, j;
        gpointer module, values, name, value;
        bool more = false;

        g_hash_table_iter_init(&i, idle->parts.state->host->pending);
        while (g_hash_table_iter_next(&i, &module, &values)) {
                GHashTable *before = g_hash_table_lookup(idle->waiting, module), *copy = values_new();
                g_hash_table_iter_init(&j, values);
                while (g_hash_table_iter_next(&j, &name, &value)) {
                        more |= !before || g_strcmp0(g_hash_table_lookup(before, name), value) != 0;
                        (void) g_hash_table_insert(copy, g_strdup(name), g_strdup(value));
                }
                (void) g_hash_table_insert(now, g_strdup(module), copy);
        }
        g_hash_table_unref(idle->waiting);
        idle->waiting = now;
        return more;
}

typedef struct Drop {
        Root *root;
        char *module;
        GError *error;
        IdleDropped done;
        GDestroyNotify discard;
        gpointer userdata;
} Drop;

static void drop_free(Drop *drop) {
        root_unref(drop->root);
        g_free(drop->module);
        g_clear_error(&drop->error);
        g_free(drop);
}

static void drop_discard(gpointer data) {
        Drop *drop = data;

        if (drop->discard)
                drop->discard(drop->userdata);
        drop_free(drop);
}

static void drop_run(gpointer data) {
        Drop *drop = data;
        g_autoptr(Pending) pending = NULL;

        fault_watch();
        pending = pending_read(drop->root);
        g_autoptr(Fault) fault = fault_found();
        if (fault)
                (void) error_set_errno(&drop->error, fault->errnum, "Can't read %s", fault->path);
        else if (pending_drop(pending, drop->module, NULL))
                (void) pending_write(pending, drop->root, &drop->error);
}

static void drop_done(gpointer data, gpointer userdata) {
        Drop *drop = data;

        drop->done(drop->error, drop->userdata);
        drop_free(drop);
}

void idle_drop(Idle *idle, const char *module, IdleDropped done, GDestroyNotify discard, gpointer userdata) {
        Drop *drop = g_new0(Drop, 1);

        *drop = (Drop) {
                        .root = root_ref(idle->parts.state->root),
                        .module = g_strdup(module),
                        .done = done,
                        .discard = discard,
                        .userdata = userdata,
        };
        worker_submit(idle->parts.changes, drop_run, drop_done, drop_discard, drop, NULL);
}

static void look_after(Idle *idle, uint64_t usec) {
        int r = sd_event_source_set_time_relative(idle->timer, usec);

        if (r >= 0)
                r = sd_event_source_set_enabled(idle->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set the timer of what waits for idle: %s", strerror(-r));
}

static bool is_out_of_patience(const Idle *idle) {
        return idle->delay > idle->parts.patience_usec;
}

/* Later, and then later still; nothing when it has been late enough. */
static void look_later(Idle *idle) {
        if (is_out_of_patience(idle))
                return;
        look_after(idle, idle->delay);
        idle->delay *= 2;
}

void idle_event(Idle *idle) {
        if (!is_waiting(idle))
                return;
        idle->delay = DELAY_FIRST_USEC;
        (void) sd_event_source_set_enabled(idle->timer, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(idle->soon, SD_EVENT_ONESHOT);
}

static bool is_held(const Idle *idle) {
        const Host *host = idle->parts.state->host;
        const Module *vendor = host_vendor_module(host), *kvm = host_module(host, "kvm");

        if (vendor && module_in_use(vendor))
                return true;
        return kvm && g_hash_table_contains(idle->waiting, "kvm") && module_in_use(kvm);
}

static void attempt_free(gpointer data) {
        Attempt *attempt = data;

        plan_free(attempt->plan);
        root_unref(attempt->root);
        g_clear_pointer(&attempt->result, change_result_free);
        g_free(attempt);
}

static void attempt_run(gpointer data) {
        Attempt *attempt = data;

        attempt->result = change_run(attempt->plan, attempt->root, attempt->loader);
}

/* The attempt is over, and the turn with it. */
static void try_end(Idle *idle) {
        idle->trying = false;
        /* What it has come to could not be seen yet: it is told with the first reading that can. */
        if (!idle->parts.state->host->fault)
                idle->outcome = idle->failure = NULL;
        operation_queue_end(idle->parts.queue);
}

static void on_given_up(const GError *error, gpointer userdata) {
        Idle *idle = userdata;

        if (error)
                log_error("Cannot forget what waited for idle: %s", error->message);
        host_state_refresh(idle->parts.state);
        try_end(idle);
}

static void attempt_done(gpointer data, gpointer userdata) {
        Attempt *attempt = data;
        Idle *idle = attempt->idle;
        const GError *error = attempt->result->error;

        if (error && condition_of(error) == CONDITION_BUSY) {
                host_state_refresh(idle->parts.state);
                look_later(idle);
                try_end(idle);
        } else {
                log_change(NULL, NULL, attempt->plan->title, attempt->result->outcome, error);
                idle->outcome = error ? NULL : "applied";
                idle->failure = error ? condition_to_name(condition_of(error)) : NULL;
                host_state_refresh(idle->parts.state);
                /* What failed once is not tried again by itself. */
                if (error && is_waiting(idle))
                        idle_drop(idle, NULL, on_given_up, NULL, idle);
                else
                        try_end(idle);
        }
        attempt_free(attempt);
}

/* An empty value waits where a reset goes back to a default of the kernel's that nobody knows. */
static bool request_one(Request *request, const Host *host, const char *module, const char *name, const char *value,
                        GError **error) {
        return *value ? request_set(request, host, module, name, value, error)
                      : request_reset(request, host, module, name, error);
}

static Request *request_what_waits(const Idle *idle, GError **error) {
        g_autoptr(Request) request = request_new(REQUEST_WHEN_IDLE);
        GHashTableIter i, j;
        gpointer module, values, name, value;

        request->pending = true;
        g_hash_table_iter_init(&i, idle->waiting);
        while (g_hash_table_iter_next(&i, &module, &values)) {
                g_hash_table_iter_init(&j, values);
                while (g_hash_table_iter_next(&j, &name, &value))
                        if (!request_one(request, idle->parts.state->host, module, name, value, error))
                                return NULL;
        }
        return g_steal_pointer(&request);
}

static bool try_plan(Idle *idle) {
        const HostState *state = idle->parts.state;
        g_autoptr(GError) error = NULL;
        g_autoptr(Request) request = request_what_waits(idle, &error);
        Plan *plan = request ? plan_new(state->host, state->loader, request, &error) : NULL;

        if (!plan) {
                /* It can't be done on this host any more, so waiting for it makes no sense; what is
                 * configured stays. */
                log_change(NULL, NULL, "what waits for idle", NULL, error);
                idle->failure = condition_to_name(condition_of(error));
                idle_drop(idle, NULL, on_given_up, NULL, idle);
                return true;
        }

        Attempt *attempt = g_new0(Attempt, 1);
        *attempt = (Attempt) {.idle = idle, .plan = plan, .root = root_ref(state->root), .loader = state->loader};
        worker_submit(idle->parts.changes, attempt_run, attempt_done, attempt_free, attempt, NULL);
        return true;
}

/* A look: the host is at rest. True when it has become an attempt. */
static bool try_begin(gpointer data) {
        Idle *idle = data;

        host_state_refresh(idle->parts.state);
        const bool known = !idle->parts.state->host->fault;
        /* An end before this one has been told by now. */
        if (known)
                idle->outcome = idle->failure = NULL;
        if (known && is_waiting(idle) && !is_held(idle))
                return try_plan(idle);

        idle->trying = false;
        /* The next reading that can be made is news, and so an event. */
        if (known && is_waiting(idle)) {
                /* Right after the event, and when it is the last look: who is there to be waited
                 * for? */
                if (idle->delay == DELAY_FIRST_USEC || is_out_of_patience(idle))
                        pidfds_look(idle->pidfds);
                look_later(idle);
        }
        return false;
}

static void try_dropped(gpointer data) {
        ((Idle *) data)->trying = false;
}

static void look(Idle *idle) {
        if (idle->trying)
                return;
        idle->trying = true;
        operation_queue_ask(idle->parts.queue, 0, try_begin, try_dropped, idle);
}

static int on_soon(sd_event_source *source, void *userdata) {
        look(userdata);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        look(userdata);
        return 0;
}

void idle_update(gpointer data) {
        Idle *idle = data;

        change_finished_signal(idle->parts.bus, idle->parts.state->host, idle->waiting, idle->outcome, idle->failure);
        if (!idle->trying && !idle->parts.state->host->fault)
                idle->outcome = idle->failure = NULL;
        if (take_waiting(idle))
                idle_event(idle);
        if (!is_waiting(idle)) {
                pidfds_forget(idle->pidfds);
                (void) sd_event_source_set_enabled(idle->soon, SD_EVENT_OFF);
                (void) sd_event_source_set_enabled(idle->timer, SD_EVENT_OFF);
        }
}

/* One that was gone at once is no event of its own, or looking would lead to looking: the next look
 * is due anyway, but after the last. */
static void on_holder_ended(bool watched, void *userdata) {
        Idle *idle = userdata;

        if (watched)
                idle_event(idle);
        else if (is_waiting(idle) && is_out_of_patience(idle))
                look_after(idle, DELAY_GONE_USEC);
}

static int add_sources(Idle *idle) {
        sd_event *event = idle->parts.event;

        int r = sd_event_add_defer(event, &idle->soon, on_soon, idle);
        if (r >= 0)
                r = sd_event_source_set_enabled(idle->soon, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &idle->timer, CLOCK_MONOTONIC, 0, DELAY_ACCURACY_USEC, on_timer,
                                               idle);
        if (r >= 0)
                r = sd_event_source_set_enabled(idle->timer, SD_EVENT_OFF);
        return r;
}

Idle *idle_new(const IdleParts *parts) {
        Idle *idle = g_new0(Idle, 1);

        idle->parts = *parts;
        idle->waiting = modules_new();
        idle->pidfds = pidfds_new(parts->event, parts->readings, on_holder_ended, idle);
        idle->delay = DELAY_FIRST_USEC;
        if (add_sources(idle) < 0)
                g_clear_pointer(&idle, idle_free);
        return idle;
}

void idle_free(Idle *idle) {
        if (!idle)
                return;
        (void) sd_event_source_disable_unref(idle->soon);
        (void) sd_event_source_disable_unref(idle->timer);
        g_hash_table_unref(idle->waiting);
        pidfds_free(idle->pidfds);
        g_free(idle);
}
