/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The thread and its eventfd. What it does is whoever's who submits to it. */

#include <errno.h>
#include <sys/epoll.h>

#include "log.h"
#include "worker-source.h"

static int on_worker(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        worker_dispatch(userdata);
        return 0;
}

int worker_source_add(sd_event *event, const char *name, Worker **ret, sd_event_source **ret_source) {
        g_autoptr(GError) error = NULL;

        *ret = worker_new(name, &error);
        if (!*ret) {
                log_error("%s", error->message);
                return -EAGAIN;
        }
        return sd_event_add_io(event, ret_source, worker_fd(*ret), EPOLLIN, on_worker, *ret);
}
