/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker: jobs run on another thread, come back on this one in order, and none is lost or run
 * after the end. */

#include <poll.h>

#include "worker.h"

#define JOBS 200

typedef struct Job {
        unsigned number;
        GThread *ran_on;
        GMutex *gate;
} Job;

static unsigned discarded;

static void run(gpointer data) {
        Job *job = data;

        if (job->gate) {
                g_mutex_lock(job->gate);
                g_mutex_unlock(job->gate);
        }
        job->ran_on = g_thread_self();
}

static void done(gpointer data, gpointer userdata) {
        g_autofree Job *job = data;
        unsigned *expected = userdata;

        g_assert_cmpuint(job->number, ==, *expected);
        g_assert_true(job->ran_on != NULL && job->ran_on != g_thread_self());
        (*expected)++;
}

static void discard(gpointer data) {
        discarded++;
        g_free(data);
}

static void submit(Worker *worker, unsigned number, GMutex *gate, unsigned *expected) {
        Job *job = g_new0(Job, 1);

        job->number = number;
        job->gate = gate;
        worker_submit(worker, run, done, discard, job, expected);
}

static void test_order(void) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Worker) worker = worker_new("test", &error);
        unsigned expected = 0;

        g_assert_no_error(error);
        for (unsigned i = 0; i < JOBS; i++)
                submit(worker, i, NULL, &expected);
        while (expected < JOBS) {
                struct pollfd fd = {.fd = worker_fd(worker), .events = POLLIN};
                g_assert_cmpint(poll(&fd, 1, 10000), ==, 1);
                worker_dispatch(worker);
        }
}

static void test_end_discards(void) {
        g_autoptr(GError) error = NULL;
        Worker *worker = worker_new("test", &error);
        unsigned expected = 0;
        GMutex gate;

        g_assert_no_error(error);
        g_mutex_init(&gate);
        g_mutex_lock(&gate);
        for (unsigned i = 0; i < 3; i++)
                submit(worker, i, &gate, &expected);
        g_mutex_unlock(&gate);
        discarded = 0;
        worker_free(worker);
        g_assert_cmpuint(discarded, ==, 3);
        g_assert_cmpuint(expected, ==, 0);
        g_mutex_clear(&gate);
}

/* What has been submitted is carried out; its results are not wanted any more. */
static void test_end_drains(void) {
        g_autoptr(GError) error = NULL;
        Worker *worker = worker_new("test", &error);
        unsigned expected = 0;

        g_assert_no_error(error);
        for (unsigned i = 0; i < JOBS; i++)
                submit(worker, i, NULL, &expected);
        discarded = 0;
        g_assert_true(worker_end(worker, 10 * G_USEC_PER_SEC));
        g_assert_cmpuint(discarded, ==, JOBS);
        g_assert_cmpuint(expected, ==, 0);
        g_assert_true(worker_end(NULL, 0));
}

static void test_end_does_not_wait_for_what_hangs(void) {
        g_autoptr(GError) error = NULL;
        Worker *worker = worker_new("test", &error);
        unsigned expected = 0;
        GMutex gate;

        g_assert_no_error(error);
        g_mutex_init(&gate);
        g_mutex_lock(&gate);
        submit(worker, 0, &gate, &expected);
        g_assert_false(worker_end(worker, 1000));
        g_mutex_unlock(&gate);
        /* It has not been freed: now it can be ended. */
        g_assert_true(worker_end(worker, 10 * G_USEC_PER_SEC));
        g_mutex_clear(&gate);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/worker/order", test_order);
        g_test_add_func("/worker/end-discards", test_end_discards);
        g_test_add_func("/worker/end-drains", test_end_drains);
        g_test_add_func("/worker/end-does-not-wait-for-what-hangs", test_end_does_not_wait_for_what_hangs);
        return g_test_run();
}
