/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One thing that is right or not, and the exact command that mends it.
 *
 * "fail" is what is broken now: a change that could not be undone, KVM not loaded on a CPU that
 * could, no usable /dev/kvm beside a loaded KVM, a CPU without what the configuration asks for.
 * "warn" is what may surprise later: settings that are not in effect, lines that contradict each
 * other or do nothing, a module that could not be loaded again. A machine that simply can't nest,
 * and nesting that is switched off, are "info". A healthy host has nothing but "pass" and
 * "info". */

typedef struct Finding {
        const char *id;
        const char *status; /* "pass" "warn" "fail" "info" */
        char *subject;      /* "host", or a guest's name */
        char *message;
        char *fix; /* a command or "" */
} Finding;

void finding_free(Finding *finding);
