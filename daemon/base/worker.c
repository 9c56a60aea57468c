/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A thread that does what can block. The two queues are all that the threads share; the eventfd
 * tells the loop that the second one is not empty. It knows nothing of what the jobs do. */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "fair-queue.h"
#include "worker.h"

typedef struct Task {
        WorkerRun run;
        WorkerDone done;
        GDestroyNotify discard;
        gpointer job;
        gpointer userdata;
} Task;

struct Worker {
        GThread *thread;
        /* Not GLib's: ThreadSanitizer knows these, and sees what they guard. */
        pthread_mutex_t mutex;
        pthread_cond_t wake;
        FairQueue *waiting; /* Task*, under the mutex */
        GQueue finished;    /* Task*, under the mutex */
        bool stop;          /* under the mutex */
        bool drain;         /* under the mutex: stop once nothing waits */
        bool ended;         /* under the mutex */
        int fd;
};

static void task_discard(gpointer data) {
        Task *task = data;

        if (task->discard)
                task->discard(task->job);
        g_free(task);
}

static void worker_notify(Worker *worker) {
        const uint64_t one = 1;

        /* EAGAIN: the counter is full, so the loop is to be woken already. */
        if (write(worker->fd, &one, sizeof one) < 0 && errno != EAGAIN)
                g_error("Cannot wake the loop: %s", g_strerror(errno));
}

static gpointer worker_main(gpointer userdata) {
        Worker *worker = userdata;

        (void) pthread_mutex_lock(&worker->mutex);
        for (;;) {
                while (!worker->stop && !worker->drain && fair_queue_is_empty(worker->waiting))
                        (void) pthread_cond_wait(&worker->wake, &worker->mutex);
                if (worker->stop || fair_queue_is_empty(worker->waiting))
                        break;

                Task *task = fair_queue_pop(worker->waiting);
                (void) pthread_mutex_unlock(&worker->mutex);
                task->run(task->job);
                (void) pthread_mutex_lock(&worker->mutex);
                g_queue_push_tail(&worker->finished, task);
                worker_notify(worker);
        }
        worker->ended = true;
        (void) pthread_cond_broadcast(&worker->wake);
        (void) pthread_mutex_unlock(&worker->mutex);
        return NULL;
}

Worker *worker_new(const char *name, GError **error) {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0) {
                g_set_error(error, CONDITION, CONDITION_INTERNAL, "Cannot make an eventfd: %s", g_strerror(errno));
                return NULL;
        }

        Worker *worker = g_new0(Worker, 1);
        worker->fd = fd;
        (void) pthread_mutex_init(&worker->mutex, NULL);
        (void) pthread_cond_init(&worker->wake, NULL);
        worker->waiting = fair_queue_new();
        g_queue_init(&worker->finished);
        worker->thread = g_thread_try_new(name, worker_main, worker, error);
        if (!worker->thread)
                g_clear_pointer(&worker, worker_free);
        return worker;
}

void worker_free(Worker *worker) {
        if (!worker)
                return;
        if (worker->thread) {
                (void) pthread_mutex_lock(&worker->mutex);
                worker->stop = true;
                (void) pthread_cond_signal(&worker->wake);
                (void) pthread_mutex_unlock(&worker->mutex);
                g_thread_join(worker->thread);
        }
        fair_queue_free(worker->waiting, task_discard);
        g_queue_clear_full(&worker->finished, task_discard);
        (void) pthread_mutex_destroy(&worker->mutex);
        (void) pthread_cond_destroy(&worker->wake);
        (void) close(worker->fd);
        g_free(worker);
}

bool worker_end(Worker *worker, uint64_t usec) {
        struct timespec until = {};
        bool ended;

        if (!worker)
                return true;
        (void) clock_gettime(CLOCK_REALTIME, &until);
        const uint64_t nsec = (uint64_t) until.tv_nsec + usec * 1000;
        until.tv_sec += (time_t) (nsec / 1000000000);
        until.tv_nsec = (long) (nsec % 1000000000);
        (void) pthread_mutex_lock(&worker->mutex);
        worker->drain = true;
        (void) pthread_cond_signal(&worker->wake);
        while (!worker->ended && pthread_cond_timedwait(&worker->wake, &worker->mutex, &until) == 0)
                continue;
        ended = worker->ended;
        (void) pthread_mutex_unlock(&worker->mutex);
        if (ended)
                worker_free(worker);
        return ended;
}

void worker_submit_for(Worker *worker, uid_t uid, WorkerRun run, WorkerDone done, GDestroyNotify discard, gpointer job,
                       gpointer userdata) {
        Task *task = g_new(Task, 1);
        *task = (Task) {.run = run, .done = done, .discard = discard, .job = job, .userdata = userdata};

        (void) pthread_mutex_lock(&worker->mutex);
        fair_queue_push(worker->waiting, uid, task);
        (void) pthread_cond_signal(&worker->wake);
        (void) pthread_mutex_unlock(&worker->mutex);
}

void worker_submit(Worker *worker, WorkerRun run, WorkerDone done, GDestroyNotify discard, gpointer job,
                   gpointer userdata) {
        worker_submit_for(worker, 0, run, done, discard, job, userdata);
}

int worker_fd(const Worker *worker) {
        return worker->fd;
}

static Task *worker_take(Worker *worker) {
        (void) pthread_mutex_lock(&worker->mutex);
        Task *task = g_queue_pop_head(&worker->finished);
        (void) pthread_mutex_unlock(&worker->mutex);
        return task;
}

void worker_quiet(Worker *worker) {
        uint64_t count;

        /* EAGAIN: nothing new since the last time. */
        if (read(worker->fd, &count, sizeof count) < 0 && errno != EAGAIN)
                g_error("Cannot read the worker's eventfd: %s", g_strerror(errno));
}

void worker_dispatch(Worker *worker) {
        Task *task;

        worker_quiet(worker);
        while ((task = worker_take(worker))) {
                task->done(task->job, task->userdata);
                g_free(task);
        }
}
