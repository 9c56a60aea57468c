/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The thread and its eventfd. What it does is whoever's who submits to it. */

#include <errno.h>
#include <sys/epoll.h>

#include "cleanup.h"
#include "later.h"
#include "log.h"
#include "worker-source.h"

typedef struct Results {
        Worker *worker;
        Later *later;
} Results;

static void results_free(void *userdata) {
        Results *results = userdata;

        later_free(results->later);
        g_free(results);
}

static void take(gpointer data) {
        const Results *results = data;

        worker_dispatch(results->worker);
}

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        const Results *results = userdata;

        worker_quiet(results->worker);
        later_ask(results->later);
        return 0;
}

static int add_source(sd_event *event, Worker *worker, sd_event_source **ret) {
        _cleanup_(sd_event_source_unrefp) sd_event_source *source = NULL;
        Results *results = g_new(Results, 1);

        *results = (Results) {.worker = worker, .later = later_new(event, take, results)};
        int r = results->later ? sd_event_add_io(event, &source, worker_fd(worker), EPOLLIN, on_worker, results)
                               : -ENOMEM;
        if (r >= 0)
                r = sd_event_source_set_destroy_callback(source, results_free);
        if (r < 0) {
                results_free(results);
                return r;
        }
        *ret = g_steal_pointer(&source);
        return 0;
}

int worker_source_add(sd_event *event, const char *name, Worker **ret, sd_event_source **ret_source) {
        g_autoptr(GError) error = NULL;

        *ret = worker_new(name, &error);
        if (!*ret) {
                log_error("%s", error->message);
                return -EAGAIN;
        }
        return add_source(event, *ret, ret_source);
}
