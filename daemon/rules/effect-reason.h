/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a parameter does not do what was asked, in a sentence for people, with the command that
 * changes it. Rules in an order: the first that applies speaks. Pure. */

#include <stdbool.h>

#include "effect.h"
#include "host.h"

/* What effect-judge.c found out; nothing here is owned. */
typedef struct Facts {
        const Host *host;
        const Module *module;
        const Effect *effect;     /* whole but for why, reason and remedy */
        bool present;             /* the module is loaded or built in */
        const Option *winner;     /* says what is configured; NULL: the kernel's default is */
        const Option *refused;    /* the kernel would refuse this line, or NULL */
        char *missing;            /* CPU features, comma-separated, or NULL */
        const char *needs_off;    /* what this one needs and is off, or NULL */
        const char *idle_without; /* what is off and makes this one idle, or NULL */
} Facts;

/* Fills in why, reason and remedy. */
void effect_explain(Effect *effect, const Facts *facts);
