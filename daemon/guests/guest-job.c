/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One question after the other. What the answers mean is not known here. */

#include "error.h"
#include "guest-job.h"
#include "nested-runs.h"
#include "unit.h"

GuestJob *guest_job_new(GuestJobKind kind, const Hypervisor *hypervisor, gpointer connection, const char *vendor) {
        GuestJob *job = g_new0(GuestJob, 1);

        *job = (GuestJob) {
                        .kind = kind,
                        .hypervisor = hypervisor,
                        .connection = connection,
                        .vendor = g_strdup(vendor),
                        .names = g_ptr_array_new_with_free_func(g_free),
                        .gone = g_ptr_array_new_with_free_func(g_free),
        };
        return job;
}

void guest_job_free(GuestJob *job) {
        if (!job)
                return;
        g_free(job->uri);
        g_free(job->vendor);
        g_ptr_array_unref(job->names);
        g_ptr_array_unref(job->gone);
        guest_edit_free(job->edit);
        guest_plan_free(job->plan);
        g_clear_pointer(&job->guests, g_hash_table_unref);
        g_clear_pointer(&job->root, root_unref);
        g_free(job->before);
        g_free(job->now);
        g_clear_pointer(&job->facts, g_ptr_array_unref);
        passing_clear(&job->passing);
        reprobe_free(job->reprobe);
        g_clear_pointer(&job->compared, g_hash_table_unref);
        g_clear_pointer(&job->counters, g_hash_table_unref);
        g_clear_error(&job->error);
        g_free(job);
}

static void close_connection(GuestJob *job) {
        if (job->connection)
                job->hypervisor->close(g_steal_pointer(&job->connection));
}

static void look_at_peer(GuestJob *job) {
        const unsigned pid = job->hypervisor->peer(job->connection);
        g_autofree char *name = g_strdup_printf("%u", pid);

        job->passing = (Passing) {.libvirt = pid, .libvirt_unit = pid > 0 ? unit_read(job->root, name) : NULL};
}

static void run_connect(GuestJob *job) {
        close_connection(job);
        if (!job->hypervisor)
                job->hypervisor = hypervisor_load(job->uri, &job->error);
        if (!job->hypervisor)
                return;
        job->connection = job->hypervisor->open(job->uri, job->event, job->userdata, &job->error);
        if (!job->connection)
                return;
        job->facts = job->hypervisor->list(job->connection, job->vendor, &job->error);
        if (!job->facts)
                close_connection(job);
        else
                look_at_peer(job);
}

static bool is_cancelled(const GuestJob *job, GError **error) {
        if (g_atomic_int_get(&job->stage) != GUEST_JOB_CANCELLED)
                return false;
        g_set_error_literal(error, CONDITION, CONDITION_TIMED_OUT, "Nobody waits for it any more");
        return true;
}

static void run_find(GuestJob *job) {
        job->facts = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        for (unsigned i = 0; i < job->names->len && !job->error && !is_cancelled(job, &job->error); i++) {
                const char *name = g_ptr_array_index(job->names, i);
                GuestFacts *facts = job->hypervisor->find(job->connection, name, job->vendor, &job->error);
                if (facts)
                        g_ptr_array_add(job->facts, facts);
                else if (g_error_matches(job->error, CONDITION, CONDITION_NO_SUCH_GUEST)) {
                        g_clear_error(&job->error);
                        g_ptr_array_add(job->gone, g_strdup(name));
                }
        }
}

/* One after the other: each answer is bounded, and one guest that does not answer is no more in the
 * way than it has to be. */
static void run_count(GuestJob *job) {
        job->counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
        for (unsigned i = 0; i < job->names->len && !job->error && !is_cancelled(job, &job->error); i++) {
                const char *uuid = g_ptr_array_index(job->names, i);
                GHashTable *counters = job->hypervisor->count(job->connection, uuid, &job->error);
                if (counters)
                        (void) g_hash_table_insert(job->counters, g_strdup(uuid), counters);
                else if (g_error_matches(job->error, CONDITION, CONDITION_NO_SUCH_GUEST))
                        g_clear_error(&job->error);
        }
}

/* What libvirt compares with is what it has then looked at. It may start QEMU for that, which is
 * nothing to begin with once the turn is over. */
static void run_reprobe(GuestJob *job) {
        job->reprobe = reprobe_run(job->hypervisor, job->connection, job->root, job->uri, job->before, job->now,
                                   &job->stage);
        if ((job->compare || job->reprobe) && g_atomic_int_get(&job->stage) != GUEST_JOB_CANCELLED)
                job->compared = job->hypervisor->compare(job->connection);
}

/* A set: those that are meant and run on KVM; of others there is nothing to tell. */
static GHashTable *find_meant(const GuestJob *job) {
        if (job->names->len == 0)
                return g_hash_table_ref(job->guests);
        GHashTable *meant = g_hash_table_new(g_str_hash, g_str_equal);
        for (unsigned i = 0; i < job->names->len; i++)
                if (g_hash_table_contains(job->guests, g_ptr_array_index(job->names, i)))
                        (void) g_hash_table_add(meant, g_ptr_array_index(job->names, i));
        return meant;
}

/* The UUIDs of those that it does not tell of. */
static GPtrArray *ask_kernel(GuestJob *job) {
        GPtrArray *left = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GHashTable) meant = find_meant(job);
        g_autoptr(GHashTable) runs = nested_runs_read(job->root, meant);
        GHashTableIter iter;
        gpointer uuid;

        g_hash_table_iter_init(&iter, meant);
        while (g_hash_table_iter_next(&iter, &uuid, NULL)) {
                const NestedRun *run = g_hash_table_lookup(runs, uuid);
                if (!run) {
                        g_ptr_array_add(left, g_strdup(uuid));
                        continue;
                }
                GuestFacts *facts = guest_facts_new();
                facts->uuid = g_strdup(uuid);
                facts->nested_run = run->nested_run;
                facts->guest_mode = run->guest_mode;
                g_ptr_array_add(job->facts, facts);
        }
        return left;
}

/* The kernel first, which answers whatever a QEMU does. */
static void run_statistics(GuestJob *job) {
        job->facts = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        g_autoptr(GPtrArray) left = ask_kernel(job);
        if (left->len == 0)
                return;
        /* All of them are one question. */
        if (job->names->len == 0 && job->facts->len == 0)
                g_ptr_array_set_size(left, 0);
        GPtrArray *others = job->hypervisor->statistics(job->connection, left);
        for (unsigned i = 0; i < others->len; i++)
                job->answered |= ((const GuestFacts *) g_ptr_array_index(others, i))->nested_run >= 0;
        g_ptr_array_extend_and_steal(job->facts, others);
}

/* One or the other: whoever cancels it after this hears that it is too late. */
static bool begin(gpointer data, GError **error) {
        GuestJob *job = data;

        return g_atomic_int_compare_and_exchange(&job->stage, GUEST_JOB_WAITS, GUEST_JOB_BEGUN) ||
               !is_cancelled(job, error);
}

static void take_facts(GuestJob *job, GuestFacts *facts) {
        job->facts = g_ptr_array_new_with_free_func((GDestroyNotify) guest_facts_free);
        if (facts)
                g_ptr_array_add(job->facts, facts);
}

static void run_edit(GuestJob *job) {
        GuestOrder order = {
                        .uuid = g_ptr_array_index(job->names, 0),
                        .edit = job->edit,
                        .vendor = job->vendor,
                        .bare = job->bare,
                        .begin = job->kind == GUEST_JOB_EDIT ? begin : NULL,
                        .userdata = job,
        };

        (void) job->hypervisor->edit(job->connection, &order, &job->error);
        job->plan = order.plan;
        take_facts(job, order.facts);
}

static void run_define(GuestJob *job) {
        if (begin(job, &job->error))
                take_facts(job, job->hypervisor->define(job->connection, job->plan, job->vendor, &job->error));
}

bool guest_job_asks_qemu(const GuestJob *job) {
        return job->kind >= GUEST_JOB_STATISTICS;
}

bool guest_job_cancel(GuestJob *job) {
        return g_atomic_int_compare_and_exchange(&job->stage, GUEST_JOB_WAITS, GUEST_JOB_CANCELLED) ||
               g_atomic_int_get(&job->stage) == GUEST_JOB_CANCELLED;
}

void guest_job_run(gpointer data) {
        GuestJob *job = data;

        if (is_cancelled(job, &job->error))
                return;
        switch (job->kind) {
        case GUEST_JOB_CONNECT:
                run_connect(job);
                break;
        case GUEST_JOB_LIST:
                job->facts = job->hypervisor->list(job->connection, job->vendor, &job->error);
                break;
        case GUEST_JOB_FIND:
                run_find(job);
                break;
        case GUEST_JOB_SURVEY:
                job->facts = job->hypervisor->survey(job->connection, &job->error);
                break;
        case GUEST_JOB_COUNT:
                run_count(job);
                break;
        case GUEST_JOB_PLAN:
        case GUEST_JOB_EDIT:
                run_edit(job);
                break;
        case GUEST_JOB_DEFINE:
                run_define(job);
                break;
        case GUEST_JOB_REPROBE:
                run_reprobe(job);
                break;
        case GUEST_JOB_STATISTICS:
                run_statistics(job);
                break;
        case GUEST_JOB_CLOSE:
        case GUEST_JOB_CLOSE_SECOND:
        default:
                close_connection(job);
                break;
        }
}
