/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The event loop of the verbs that wait. It must not know what for. */

#include <errno.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "loop.h"

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        bool *interrupted = userdata;

        *interrupted = true;
        return 0;
}

void loop_hold_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int loop_prepare(const Client *client, sd_event *event, bool *interrupted) {
        int r;

        loop_hold_signals();
        r = sd_event_add_signal(event, NULL, SIGINT, on_signal, interrupted);
        if (r < 0)
                return r;
        r = sd_event_add_signal(event, NULL, SIGTERM, on_signal, interrupted);
        if (r < 0)
                return r;
        return sd_bus_attach_event(client->bus, event, SD_EVENT_PRIORITY_NORMAL);
}

/* What was received while a call waited for its answer makes no new event. */
static int drain(const Client *client) {
        int r;

        do
                r = sd_bus_process(client->bus, NULL);
        while (r > 0);
        return r;
}

int loop_run(const Client *client, bool (*finished)(void *userdata), void *userdata) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        bool interrupted = false;
        int r;

        r = sd_event_new(&event);
        if (r >= 0)
                r = loop_prepare(client, event, &interrupted);
        while (r >= 0) {
                r = drain(client);
                if (r < 0 || finished(userdata))
                        break;
                if (interrupted)
                        r = -EINTR;
                else if (sd_bus_is_open(client->bus) <= 0)
                        r = -ECONNRESET;
                else
                        r = sd_event_run(event, UINT64_MAX);
        }
        (void) sd_bus_detach_event(client->bus);
        return MIN(r, 0);
}
