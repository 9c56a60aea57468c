/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A source that comes after all others, and a timer that is as urgent as the bus. It knows nothing
 * of what is done. */

#include <string.h>

#include "later.h"
#include "log.h"

/* Greater is later: sd-event asks what it has found ready in that order. */
#define LATER_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)
#define LATE_USEC (50U * 1000U)
#define ACCURACY_USEC (10U * 1000U)

struct Later {
        LaterRun run;
        gpointer userdata;
        sd_event_source *next;
        sd_event_source *late;
        bool asked;
};

void later_free(Later *later) {
        if (!later)
                return;
        (void) sd_event_source_disable_unref(later->next);
        (void) sd_event_source_disable_unref(later->late);
        g_free(later);
}

void later_cancel(Later *later) {
        later->asked = false;
        (void) sd_event_source_set_enabled(later->next, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(later->late, SD_EVENT_OFF);
}

static void later_run(Later *later) {
        later_cancel(later);
        later->run(later->userdata);
}

static int on_next(sd_event_source *source, void *userdata) {
        later_run(userdata);
        return 0;
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        later_run(userdata);
        return 0;
}

static int add_sources(Later *later, sd_event *event) {
        int r = sd_event_add_defer(event, &later->next, on_next, later);

        if (r >= 0)
                r = sd_event_source_set_priority(later->next, LATER_PRIORITY);
        if (r >= 0)
                r = sd_event_source_set_enabled(later->next, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &later->late, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_late, later);
        return r < 0 ? r : sd_event_source_set_enabled(later->late, SD_EVENT_OFF);
}

Later *later_new(sd_event *event, LaterRun run, gpointer userdata) {
        Later *later = g_new(Later, 1);

        *later = (Later) {.run = run, .userdata = userdata};
        if (add_sources(later, event) < 0)
                g_clear_pointer(&later, later_free);
        return later;
}

void later_ask(Later *later) {
        if (later->asked)
                return;
        later->asked = true;
        int r = sd_event_source_set_enabled(later->next, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = sd_event_source_set_time_relative(later->late, LATE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(later->late, SD_EVENT_ONESHOT);
        if (r < 0)
                log_error("Cannot set the timer of what is to be done later: %s", strerror(-r));
}
