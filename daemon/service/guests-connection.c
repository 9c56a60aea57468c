/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection's life: it comes up, or is tried again later, and what was open before is closed.
 * When that is due is not decided here. */

#include "guests-own.h"
#include "log.h"
#include "worker-source.h"

#define RETRY_LAST_USEC (64U * 1000U * 1000U)

static bool have_worker(Guests *guests) {
        if (!guests->worker &&
            worker_source_add(guests->parts.event, "libvirt", &guests->worker, &guests->worker_source) < 0)
                return false;
        return guests->statistics || worker_source_add(guests->parts.event, "statistics", &guests->statistics,
                                                       &guests->statistics_source) >= 0;
}

void guests_close_second(Guests *guests) {
        if (guests->second)
                (void) guests_submit(guests, guests_new_job(guests, GUEST_JOB_CLOSE_SECOND), NULL);
        guests->second = NULL;
}

/* Whatever was open is closed first. */
void guests_connect(Guests *guests) {
        GuestJob *job = guests_new_job(guests, GUEST_JOB_CONNECT);

        (void) sd_event_source_set_enabled(guests->retry, SD_EVENT_OFF);
        guests_close_second(guests);
        guests->connection = NULL;
        guests->compare = false;
        passing_clear(&guests->passing);
        job->uri = g_strdup(guests->uri);
        job->root = root_ref(guests->parts.state->root);
        job->event = guest_events_put;
        job->userdata = guests->events;
        if (!have_worker(guests)) {
                guest_job_free(job);
                guests->state = STATE_DOWN;
                return;
        }
        guests->state = STATE_CONNECTING;
        guests_submit(guests, job, NULL);
}

/* Once, until it is reached again. One that is being started is there at the second try. */
static void tell_failed(Guests *guests, const GError *error) {
        if (guests->state != STATE_DOWN)
                guests->told = false;
        else if (!guests->told && guests->delay > GUESTS_RETRY_USEC) {
                log_error("%s. Its guests are not known until it answers; it is asked again now and then, and at once "
                          "by: nestvirtctl guests",
                          error->message);
                guests->told = true;
        }
}

static void connect_failed(Guests *guests, const GError *error) {
        guests->state = guests->sockets && !libvirt_sockets_present(guests->sockets) ? STATE_NONE : STATE_DOWN;
        tell_failed(guests, error);
        guest_table_take_all(guests->table, NULL);
        guests_turn_away(guests, error);
        if (guests->state == STATE_DOWN && (guests->delay <= RETRY_LAST_USEC || !guests->sockets)) {
                guests_arm(guests->retry, MIN(guests->delay, RETRY_LAST_USEC));
                guests->delay = MIN(guests->delay * 2, UINT64_C(2) * RETRY_LAST_USEC);
        }
}

void guests_connected(Errand *errand) {
        Guests *guests = errand->guests;
        GuestJob *job = errand->job;

        guests->hypervisor = job->hypervisor;
        guests->connection = job->connection;
        passing_clear(&guests->passing);
        passing_copy(&job->passing, &guests->passing);
        if (job->error)
                connect_failed(guests, job->error);
        else {
                guests->state = STATE_UP;
                guests->told = false;
                guests->second = job->hypervisor->second(job->connection);
                guests->delay = GUESTS_RETRY_USEC;
                guest_table_take_all(guests->table, job->facts);
                guests_read_statistics(guests, NULL, NULL, NULL);
                guests_serve(guests);
                guests_reprobe(guests);
        }
        if (!guests->gathering)
                (void) sd_event_source_set_enabled(guests->events_source, SD_EVENT_ON);
        if (job->error)
                guests_ready(guests);
}
