/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The timer. It reads nothing, and says in the log when a reading has failed, and when one is
 * whole again. */

#include <string.h>
#include <syslog.h>

#include "host-retry.h"
#include "log.h"

#define DELAY_FIRST_USEC (250U * 1000U)
#define DELAY_MAX_USEC (30U * 1000U * 1000U)
#define DELAY_ACCURACY_USEC (50U * 1000U)

struct HostRetry {
        const HostState *state;
        HostRetryAgain again;
        gpointer userdata;
        sd_event_source *timer;
        uint64_t delay; /* until the next one; 0: the last reading was whole */
        bool set;       /* one is due */
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        HostRetry *retry = userdata;

        retry->set = false;
        retry->again(retry->userdata);
        return 0;
}

static void try_later(HostRetry *retry) {
        int r = sd_event_source_set_time_relative(retry->timer, retry->delay);

        if (r >= 0)
                r = sd_event_source_set_enabled(retry->timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set the timer of a reading that failed: %s", strerror(-r));
        retry->set = r >= 0;
        retry->delay = MIN(2 * retry->delay, DELAY_MAX_USEC);
}

void host_retry_update(gpointer data) {
        HostRetry *retry = data;
        const Fault *fault = retry->state->host->fault;
        g_autofree char *told = fault ? fault_to_string(fault) : NULL;

        if (fault && retry->delay == 0) {
                log_error("%s. What is told of this host is older until it can be read", told);
                retry->delay = DELAY_FIRST_USEC;
        }
        /* Whoever else has it read meanwhile does not put it off. */
        if (fault && !retry->set)
                try_later(retry);
        if (fault || retry->delay == 0)
                return;
        g_autoptr(GPtrArray) fields = log_fields_new();
        log_send(fields, LOG_NOTICE, NULL, "The host can be read again");
        retry->delay = 0;
        retry->set = false;
        (void) sd_event_source_set_enabled(retry->timer, SD_EVENT_OFF);
}

HostRetry *host_retry_new(sd_event *event, const HostState *state, HostRetryAgain again, gpointer userdata,
                          int *ret_error) {
        HostRetry *retry = g_new(HostRetry, 1);

        *retry = (HostRetry) {.state = state, .again = again, .userdata = userdata};
        int r = sd_event_add_time_relative(event, &retry->timer, CLOCK_MONOTONIC, 0, DELAY_ACCURACY_USEC, on_timer,
                                           retry);
        if (r >= 0)
                r = sd_event_source_set_enabled(retry->timer, SD_EVENT_OFF);
        if (r < 0) {
                host_retry_free(retry);
                *ret_error = r;
                return NULL;
        }
        host_retry_update(retry);
        return retry;
}

void host_retry_free(HostRetry *retry) {
        if (!retry)
                return;
        (void) sd_event_source_disable_unref(retry->timer);
        g_free(retry);
}
