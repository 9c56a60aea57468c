/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one parameter is set to, what KVM really does, what the next load gets, and why: the answer
 * that effect-judge.h gives. */

#include <glib.h>
#include <stdbool.h>

#include "catalog.h"

/* Which fact the reason states; of several the first in this order. */
typedef enum Why {
        WHY_NOTHING,
        WHY_REFUSED,     /* the kernel refuses a configured value, and the load of the module with it */
        WHY_PENDING,     /* it waits for idle */
        WHY_KEPT,        /* nested is off, but kvm stayed loaded: see the reason */
        WHY_BUILTIN,     /* modprobe.d lines for a built-in module */
        WHY_UNKNOWN,     /* the kernel does not show its value, or one that is not known */
        WHY_UNSUPPORTED, /* the CPU lacks what it needs */
        WHY_NEEDS,       /* another parameter is off */
        WHY_STICKS,      /* kvm keeps the value of an earlier load */
        WHY_CONFIGURED,  /* what is configured is not in effect */
        WHY_DEFAULT,     /* nothing is configured, and it is not what the kernel does by itself */
        WHY_MAX
} Why;

typedef struct Effect {
        const Parameter *parameter;
        char *value;   /* as sysfs prints it; "" when the module is not loaded */
        char *current; /* the same, normalised; NULL when it is not loaded or not to be understood */
        /* "on"/"off" for a bool, decimal, or the word; "" when not loaded, "unknown" when
         * undecidable */
        char *effective;
        /* what the next load gets, normalised (as written when it is no valid value); "" = the
         * kernel's default */
        char *configured;
        const char *normal_default; /* the kernel's default, normalised, "" when unknown */
        char *source;               /* of the configured value, or "" */
        GStrv overridden;           /* sources that lose, the strongest first, at most OPTIONS_OVERRIDDEN_MAX */
        const char *pending;        /* waits for idle, or "" */
        bool supported;             /* the CPU has what it needs */
        bool writable;              /* without a reload */
        Why why;
        /* why effective is not what was asked, or a plain warning about it; "" when there is
         * nothing to say */
        char *reason;
        char *remedy; /* the command that puts in effect what was asked, "" when there is none */
} Effect;

void effect_free(Effect *effect);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Effect, effect_free)

/* A copy of current. */
char *effect_current(const Effect *effect);
/* "on" and "off" for the switch's "1" and "0", any other value as it is. */
const char *effect_word(const Parameter *parameter, const char *normal);
