/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When libvirt has to look again at what KVM offers to guests: KVM was loaded with other parameters
 * than libvirt knows of. How that is done is reprobe.c's. The QEMU that libvirt looks with opens
 * /dev/kvm, so it is done in a turn of its own, and a change waits for its end and does not find
 * KVM in use. That is a second or two; libvirt may hang, and then the turn is over before it has
 * answered: what has not been done by then is not done outside of it, but in another turn when
 * libvirt is back. */

#include <string.h>

#include "error.h"
#include "fixed-values.h"
#include "guests-own.h"
#include "log.h"
#include "log-change.h"

#define TURN_USEC (5U * 1000U * 1000U)
#define ACCURACY_USEC (5U * 1000U)

static void turn_over(Guests *guests) {
        guests->reprobe_turn = sd_event_source_disable_unref(guests->reprobe_turn);
        guests->reprobe_job = NULL;
        operation_queue_end(guests->parts.queue);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        Guests *guests = userdata;

        (void) guest_job_cancel(guests->reprobe_job);
        turn_over(guests);
        return 0;
}

static bool begin(gpointer data) {
        Guests *guests = data;
        GuestJob *job;
        int r;

        guests->reprobe_asked = false;
        if (guests->state != STATE_UP || guests->reprobe_turn)
                return false;
        r = sd_event_add_time_relative(guests->parts.event, &guests->reprobe_turn, CLOCK_MONOTONIC,
                                       MIN(guests->parts.patience_usec, TURN_USEC), ACCURACY_USEC, on_late, guests);
        if (r < 0) {
                log_error("Cannot set a timer of the guests: %s", strerror(-r));
                return false;
        }
        job = guests_new_job(guests, GUEST_JOB_REPROBE);
        job->uri = g_strdup(guests->uri);
        job->root = root_ref(guests->parts.state->root);
        job->before = g_strdup(guests->values_first);
        job->now = g_strdup(guests->values);
        job->compare = guests->compare;
        guests->compare = false;
        guests->reprobe_job = job;
        guests_submit(guests, job, NULL);
        return true;
}

static void dropped(gpointer data) {
        ((Guests *) data)->reprobe_asked = false;
}

/* A tree of files says nothing of the KVM that a libvirt goes by, and who has no lock keeps no
 * record. */
void guests_reprobe(Guests *guests) {
        const GuestsParts *parts = &guests->parts;

        if (!guests->values || guests->state != STATE_UP || guests->reprobe_asked || parts->state->loader->inert ||
            !parts->may_record)
                return;
        guests->reprobe_asked = true;
        operation_queue_ask(parts->queue, 0, begin, dropped, guests);
}

/* It was given up before it had touched anything, or asked what it was to ask. */
static bool is_late(const GuestJob *job) {
        return job->error || (job->reprobe && condition_of(job->reprobe->error) == CONDITION_TIMED_OUT) ||
               (job->compare && !job->compared);
}

/* Of another connection it is asked with the guests. */
static void take_compared(Guests *guests, const GuestJob *job) {
        if (job->connection != guests->connection)
                return;
        if (job->compared)
                guest_table_take_compared(guests->table, job->compared);
        else if (job->compare || job->reprobe)
                guests->compare = true;
}

void guests_reprobed(Errand *errand) {
        Guests *guests = errand->guests;
        const GuestJob *job = errand->job;

        if (guests->reprobe_job == job)
                turn_over(guests);
        take_compared(guests, job);
        if (is_late(job))
                guests_reprobe(guests);
        else if (job->reprobe)
                log_reprobe(job->reprobe);
}

/* What libvirt says of guests' CPUs goes by nested, at which it looks whenever it is asked. */
static void compare_nested(Guests *guests) {
        const GuestHost *host = guest_table_host(guests->table);
        const char *nested = host->live ? host->nested : NULL;
        const bool other = nested && g_strcmp0(nested, guests->compared_with) != 0;

        guests->compared_with = nested;
        if (!other || !(guests->state == STATE_CONNECTING || guest_table_compares(guests->table)))
                return;
        guests->compare = true;
        guests_reprobe(guests);
}

/* While KVM is not loaded, what it was loaded with last counts. */
void guests_compare(Guests *guests) {
        g_autofree char *values = fixed_values(guests->parts.state->host);

        compare_nested(guests);
        if (!values || g_strcmp0(guests->values, values) == 0)
                return;
        if (!guests->values_first)
                guests->values_first = g_strdup(values);
        g_free(guests->values);
        guests->values = g_steal_pointer(&values);
        guests_reprobe(guests);
}
