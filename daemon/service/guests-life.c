/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The guests as a whole: set up, told of what happens at libvirt, and taken down. */

#include <sys/epoll.h>

#include "guests-own.h"
#include "log.h"
#include "settings.h"

#define GATHER_USEC (20U * 1000U)
#define ACCURACY_USEC (5U * 1000U)
#define BEGIN_USEC (3U * 1000U * 1000U)
#define CLOSE_USEC (500U * 1000U)

/* The events */

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        Guests *guests = userdata;

        if (guests->state == STATE_DOWN)
                guests_connect(guests);
        return 0;
}

static int on_begin(sd_event_source *source, uint64_t usec, void *userdata) {
        guests_ready(userdata);
        return 0;
}

static int on_sockets(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Guests *guests = userdata;

        if (!libvirt_sockets_read(guests->sockets))
                return 0;
        guests->delay = GUESTS_RETRY_USEC;
        if (guests->state == STATE_NONE || guests->state == STATE_DOWN)
                guests_connect(guests);
        return 0;
}

static int on_gathered(sd_event_source *source, uint64_t usec, void *userdata) {
        Guests *guests = userdata;
        bool lost;

        guests->gathering = false;
        /* What comes while they are listed may be news to the list: it stays until that is here. */
        if (guests->state == STATE_CONNECTING)
                return 0;
        g_autoptr(GPtrArray) uuids = guest_events_take(guests->events, &lost);
        (void) sd_event_source_set_enabled(guests->events_source, SD_EVENT_ON);
        if (guests->state != STATE_UP)
                return 0;
        if (lost)
                guests_connect(guests);
        else if (uuids->len > 0) {
                GuestJob *job = guests_new_job(guests, GUEST_JOB_FIND);
                g_ptr_array_extend_and_steal(job->names, g_steal_pointer(&uuids));
                guests_submit(guests, job, NULL);
        }
        return 0;
}

/* A start is three events within milliseconds. */
static int on_events(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Guests *guests = userdata;

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (!guests->gathering)
                guests_arm(guests->gather, GATHER_USEC);
        guests->gathering = true;
        return 0;
}

/* Who takes what came of a job. */
static const GuestsDone done[GUEST_JOB_KINDS] = {
                [GUEST_JOB_CONNECT] = guests_connected, [GUEST_JOB_LIST] = guests_listed,
                [GUEST_JOB_FIND] = guests_found,        [GUEST_JOB_SURVEY] = guests_surveyed,
                [GUEST_JOB_PLAN] = guests_edited,       [GUEST_JOB_EDIT] = guests_edited,
                [GUEST_JOB_DEFINE] = guests_edited,     [GUEST_JOB_REPROBE] = guests_reprobed,
                [GUEST_JOB_COUNT] = guests_counted,     [GUEST_JOB_STATISTICS] = guests_have_read,
};

/* The beginning and the end */

/* What was given on the command line, else in the configuration; else the machine's own, when its
 * socket is there. */
static int choose_uri(Guests *guests) {
        Root *root = guests->parts.state->root;
        g_autoptr(GError) problem = NULL;
        g_autoptr(Settings) settings = guests->parts.from_files ? NULL : settings_read(root, &problem);
        const char *given;
        int r = 0;

        if (!settings) {
                guests->uri = hypervisor_uri_of_files(root);
                return 0;
        }
        given = guests->parts.uri ?: settings->libvirt;
        if (problem)
                log_error("%s", problem->message);
        if (settings->hidden)
                objects_hide_guests(guests->parts.objects);
        if (!given && root_is_machine(root)) {
                guests->sockets = libvirt_sockets_new(root, &r);
                given = HYPERVISOR_URI;
        }
        guests->uri = g_strdup(given ?: "");
        return r;
}

static int add_timer(const Guests *guests, sd_event_source **ret, sd_event_time_handler_t handler) {
        int r = sd_event_add_time_relative(guests->parts.event, ret, CLOCK_MONOTONIC, 0, ACCURACY_USEC, handler,
                                           (void *) guests);

        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int set_up(Guests *guests) {
        sd_event *event = guests->parts.event;
        int r = choose_uri(guests);

        if (r >= 0)
                guests->events = guest_events_new(&r);
        if (r >= 0)
                r = sd_event_add_io(event, &guests->events_source, guest_events_fd(guests->events), EPOLLIN, on_events,
                                    guests);
        if (r >= 0 && guests->sockets)
                r = sd_event_add_io(event, &guests->sockets_source, libvirt_sockets_fd(guests->sockets), EPOLLIN,
                                    on_sockets, guests);
        if (r >= 0)
                r = add_timer(guests, &guests->retry, on_retry);
        if (r >= 0)
                r = add_timer(guests, &guests->gather, on_gathered);
        if (r >= 0)
                r = add_timer(guests, &guests->hang, guests_hang);
        return r < 0 ? r : add_timer(guests, &guests->begin, on_begin);
}

Guests *guests_new(const GuestsParts *parts, int *ret_error) {
        Guests *guests = g_new(Guests, 1);
        const GuestQueriesParts queries = {
                        .event = parts->event,
                        .patience_usec = parts->patience_usec,
                        .asked = guests_asked,
                        .ended = guests_serve,
                        .userdata = guests,
        };
        int r;

        *guests = (Guests) {
                        .parts = *parts,
                        .done = done,
                        .hypervisor = parts->hypervisor,
                        .queries = guest_queries_new(&queries),
                        .table = guest_table_new(parts->objects, parts->state),
                        .delay = GUESTS_RETRY_USEC,
        };
        g_queue_init(&guests->counting);
        r = set_up(guests);
        if (r >= 0)
                return guests;
        guests_free(guests);
        *ret_error = r;
        return NULL;
}

void guests_begin(Guests *guests, void (*ready)(gpointer userdata), gpointer userdata) {
        const bool there = guests->sockets ? libvirt_sockets_present(guests->sockets) : *guests->uri;

        guests->ready = ready;
        guests->ready_userdata = userdata;
        if (there) {
                guests_arm(guests->begin, BEGIN_USEC);
                guests_connect(guests);
        }
        if (guests->state != STATE_CONNECTING)
                guests_ready(guests);
}

/* A libvirt or a QEMU that hangs does not keep us from ending: what it may still touch then stays
 * where it is. */
static bool end_workers(Guests *guests) {
        guests_close_second(guests);
        (void) worker_end(guests->statistics, CLOSE_USEC);
        if (guests->worker && guests->connection)
                (void) guests_submit(guests, guests_new_job(guests, GUEST_JOB_CLOSE), NULL);
        return worker_end(guests->worker, CLOSE_USEC);
}

void guests_free(Guests *guests) {
        if (!guests)
                return;
        (void) sd_event_source_disable_unref(guests->sockets_source);
        (void) sd_event_source_disable_unref(guests->events_source);
        (void) sd_event_source_disable_unref(guests->worker_source);
        (void) sd_event_source_disable_unref(guests->statistics_source);
        (void) sd_event_source_disable_unref(guests->retry);
        (void) sd_event_source_disable_unref(guests->gather);
        (void) sd_event_source_disable_unref(guests->begin);
        (void) sd_event_source_disable_unref(guests->hang);
        (void) sd_event_source_disable_unref(guests->reprobe_turn);
        /* A connection that has come up only now is nobody's, and tells all the same of what
         * happens. */
        if (end_workers(guests) && guests->state != STATE_CONNECTING)
                guest_events_free(guests->events);
        g_queue_clear(&guests->counting);
        guest_queries_free(guests->queries);
        libvirt_sockets_free(guests->sockets);
        guest_table_free(guests->table);
        passing_clear(&guests->passing);
        g_free(guests->uri);
        g_free(guests->values);
        g_free(guests->values_first);
        g_free(guests);
}
