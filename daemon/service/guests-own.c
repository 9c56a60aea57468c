/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What all parts of the guests do now and then. */

#include <string.h>

#include "guests-own.h"
#include "log.h"

void guests_arm(sd_event_source *timer, uint64_t usec) {
        int r = sd_event_source_set_time_relative(timer, usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set a timer of the guests: %s", strerror(-r));
}

void guests_ready(Guests *guests) {
        void (*ready)(gpointer userdata) = g_steal_pointer(&guests->ready);

        (void) sd_event_source_set_enabled(guests->begin, SD_EVENT_OFF);
        if (ready)
                ready(guests->ready_userdata);
}
