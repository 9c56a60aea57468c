/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SIGALRM without SA_RESTART ends a KVM_RUN that is under way, and "immediate_exit" one that is
 * about to begin: the signal can't come at a moment at which it is lost. */

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "watchdog.h"

static struct kvm_run *volatile watched;
static volatile sig_atomic_t barked;

static void on_alarm(int number) {
        struct kvm_run *run = watched;

        barked = true;
        if (run)
                run->immediate_exit = 1;
}

static int set_timer(unsigned seconds) {
        const struct itimerval timer = {.it_value.tv_sec = (time_t) seconds};

        return setitimer(ITIMER_REAL, &timer, NULL) < 0 ? -errno : 0;
}

int watchdog_begin(struct kvm_run *run, unsigned seconds) {
        const struct sigaction action = {.sa_handler = on_alarm};

        watched = run;
        barked = false;
        run->immediate_exit = 0;
        if (sigaction(SIGALRM, &action, NULL) < 0)
                return -errno;
        return set_timer(seconds);
}

int watchdog_end(void) {
        const int r = set_timer(0);

        watched = NULL;
        return r;
}

bool watchdog_has_barked(void) {
        return barked;
}
