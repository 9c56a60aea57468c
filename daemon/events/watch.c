/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sources of events and the timer that gathers them: a reload, or an editor that saves, sends a
 * dozen within milliseconds, and one refresh serves them all. */

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "inotify-watch.h"
#include "log.h"
#include "uevents.h"
#include "watch.h"

#define GATHER_USEC (30U * 1000U)
/* Some of the folders could not be looked for (fault.h), so that nothing would tell of them. */
#define REARM_USEC (5U * 1000U * 1000U)
#define GATHER_ACCURACY_USEC (5U * 1000U)

struct Watch {
        Root *root;
        OperationQueue *queue;
        WatchNews news;
        gpointer userdata;
        InotifyWatch *inotify;
        sd_event_source *inotify_source;
        sd_event_source *uevents_source; /* owns the socket */
        sd_event_source *timer;
        bool gathering;
        uint64_t usec; /* so long */
        bool due;      /* all is gathered, and the host is not at rest */
        WatchHeard heard;
};

static void watch_gather(Watch *watch, uint64_t usec) {
        if (watch->gathering && usec >= watch->usec)
                return;
        watch->usec = usec;
        int r = sd_event_source_set_time_relative(watch->timer, usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set the timer of the events: %s", strerror(-r));
        else
                watch->gathering = true;
}

static void watch_hear(Watch *watch, bool cpus) {
        watch->heard.last = MAX(watch->heard.last, g_get_monotonic_time());
        watch->heard.cpus |= cpus;
        watch_gather(watch, GATHER_USEC);
}

void watch_arm(gpointer data) {
        Watch *watch = data;

        if (inotify_watch_arm(watch->inotify))
                return;
        /* It has to be read then whatever is heard until then. */
        watch->heard.last = G_MAXINT64;
        watch_gather(watch, REARM_USEC);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Watch *watch = userdata;

        watch->gathering = false;
        /* A change of ours is seen whole: what it was before, then what it has become, which its
         * own refresh tells. */
        watch->due = operation_queue_taken(watch->queue);
        if (watch->due)
                return 0;
        log_debug("The host is read anew");
        const WatchHeard heard = watch->heard;
        watch->heard = (WatchHeard) {};
        watch->news(watch->userdata, &heard);
        return 0;
}

/* What a change has brought about may still be under way. */
static void on_turn_ended(gpointer userdata) {
        Watch *watch = userdata;

        if (watch->due)
                watch_gather(watch, GATHER_USEC);
        watch->due = false;
}

static int on_inotify(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Watch *watch = userdata;

        if (inotify_watch_read(watch->inotify)) {
                log_debug("A file of the host has changed");
                watch_hear(watch, false);
        }
        return 0;
}

static int on_uevents(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Watch *watch = userdata;
        const UeventNews news = uevents_read(fd);

        if (news != UEVENT_NONE) {
                log_debug("The kernel tells of KVM, a module of it, a virtual machine or a processor");
                watch_hear(watch, news & UEVENT_CPUS);
        }
        return 0;
}

static int add_uevents(Watch *watch, sd_event *event) {
        int fd = uevents_open();
        if (fd < 0)
                return fd;

        int r = sd_event_add_io(event, &watch->uevents_source, fd, EPOLLIN, on_uevents, watch);
        if (r < 0) {
                (void) close(fd);
                return r;
        }
        return sd_event_source_set_io_fd_own(watch->uevents_source, true);
}

static int add_sources(Watch *watch, sd_event *event) {
        int r;

        watch->inotify = inotify_watch_new(watch->root, &r);
        if (!watch->inotify)
                return r;
        r = sd_event_add_io(event, &watch->inotify_source, inotify_watch_fd(watch->inotify), EPOLLIN, on_inotify,
                            watch);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &watch->timer, CLOCK_MONOTONIC, 0, GATHER_ACCURACY_USEC, on_timer, watch);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(watch->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        watch_arm(watch);
        return root_is_machine(watch->root) ? add_uevents(watch, event) : 0;
}

Watch *watch_new(sd_event *event, Root *root, OperationQueue *queue, WatchNews news, gpointer userdata,
                 int *ret_error) {
        Watch *watch = g_new0(Watch, 1);

        *watch = (Watch) {.root = root, .queue = queue, .news = news, .userdata = userdata};
        int r = add_sources(watch, event);
        if (r >= 0) {
                operation_queue_listen(queue, on_turn_ended, watch);
                return watch;
        }
        watch_free(watch);
        *ret_error = r;
        return NULL;
}

void watch_look(gpointer data) {
        Watch *watch = data;

        watch_hear(watch, true);
}

void watch_free(Watch *watch) {
        if (!watch)
                return;
        operation_queue_listen(watch->queue, NULL, NULL);
        (void) sd_event_source_disable_unref(watch->inotify_source);
        (void) sd_event_source_disable_unref(watch->uevents_source);
        (void) sd_event_source_disable_unref(watch->timer);
        inotify_watch_free(watch->inotify);
        g_free(watch);
}
