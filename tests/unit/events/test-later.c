/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done later comes after all that is ready, once, and is not put off for good; and so do a
 * worker's results. */

#include <glib.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "later.h"
#include "worker-source.h"

#define BUSY 3U

typedef struct Loop {
        sd_event *event;
        int fd;                /* readable */
        sd_event_source *busy; /* ready in each iteration of the loop, as a bus is on which somebody floods it */
        unsigned left;         /* so often it still is; G_MAXUINT: for good */
        Later *later;
        unsigned asked, run;
} Loop;

static int on_busy(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Loop *loop = userdata;

        if (loop->later && loop->asked > 0) {
                loop->asked--;
                later_ask(loop->later);
        }
        if (loop->left != G_MAXUINT && --loop->left == 0)
                g_assert_cmpint(sd_event_source_set_enabled(source, SD_EVENT_OFF), >=, 0);
        return 0;
}

static void on_later(gpointer userdata) {
        Loop *loop = userdata;

        if (loop->left != G_MAXUINT)
                g_assert_cmpuint(loop->left, ==, 0);
        loop->run++;
}

static void loop_begin(Loop *loop, unsigned busy) {
        *loop = (Loop) {.left = busy, .fd = eventfd(1, EFD_CLOEXEC)};
        g_assert_cmpint(loop->fd, >=, 0);
        g_assert_cmpint(sd_event_new(&loop->event), >=, 0);
        g_assert_cmpint(sd_event_add_io(loop->event, &loop->busy, loop->fd, EPOLLIN, on_busy, loop), >=, 0);
}

static void loop_end(Loop *loop) {
        later_free(loop->later);
        (void) sd_event_source_disable_unref(loop->busy);
        (void) sd_event_unref(loop->event);
        (void) close(loop->fd);
}

/* As long as there is something to do. */
static void loop_run(Loop *loop) {
        int r;

        do {
                r = sd_event_run(loop->event, 0);
                g_assert_cmpint(r, >=, 0);
        } while (r > 0);
}

static void test_after_what_is_ready(void) {
        Loop loop;

        loop_begin(&loop, BUSY);
        loop.later = later_new(loop.event, on_later, &loop);
        loop.asked = 2;
        loop_run(&loop);
        g_assert_cmpuint(loop.run, ==, 1);
        later_ask(loop.later);
        g_assert_cmpuint(loop.run, ==, 1);
        loop_run(&loop);
        g_assert_cmpuint(loop.run, ==, 2);
        loop_end(&loop);
}

static void test_cancelled(void) {
        Loop loop;

        loop_begin(&loop, BUSY);
        loop.later = later_new(loop.event, on_later, &loop);
        later_ask(loop.later);
        later_cancel(loop.later);
        loop_run(&loop);
        g_assert_cmpuint(loop.run, ==, 0);
        loop_end(&loop);
}

static void test_not_put_off_for_good(void) {
        Loop loop;

        loop_begin(&loop, G_MAXUINT);
        loop.later = later_new(loop.event, on_later, &loop);
        later_ask(loop.later);
        while (loop.run == 0)
                g_assert_cmpint(sd_event_run(loop.event, 0), >=, 0);
        loop_end(&loop);
}

static void run_job(gpointer unused) {
}

static void on_done(gpointer unused, gpointer userdata) {
        on_later(userdata);
}

static void test_results_of_a_worker(void) {
        sd_event_source *source;
        Worker *worker;
        Loop loop;

        loop_begin(&loop, BUSY);
        g_assert_cmpint(worker_source_add(loop.event, "test", &worker, &source), >=, 0);
        worker_submit(worker, run_job, on_done, NULL, NULL, &loop);
        struct pollfd fd = {.fd = worker_fd(worker), .events = POLLIN};
        g_assert_cmpint(poll(&fd, 1, -1), ==, 1);
        loop_run(&loop);
        g_assert_cmpuint(loop.run, ==, 1);
        (void) sd_event_source_disable_unref(source);
        worker_free(worker);
        loop_end(&loop);
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/later/after-what-is-ready", test_after_what_is_ready);
        g_test_add_func("/later/cancelled", test_cancelled);
        g_test_add_func("/later/not-put-off-for-good", test_not_put_off_for_good);
        g_test_add_func("/later/results-of-a-worker", test_results_of_a_worker);
        return g_test_run();
}
