/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A check under way, for check.c and its rules alone: what they look at, and what they have found
 * so far. */

#include <glib.h>

#include "check-facts.h"
#include "effect.h"
#include "host.h"

typedef struct Check {
        const Host *host;
        const CheckFacts *facts;
        const char *device;
        GPtrArray *effects; /* Effect*, in the order of the catalogue */
        GPtrArray *findings;
        const char *id; /* of the rule that is running */
        unsigned n;     /* what it has found */
} Check;

/* @id: of the rule that runs next. */
void check_begin(Check *check, const char *id);
/* It has run; what was too much of one id is only counted. */
void check_end(Check *check);
void check_find(Check *check, const char *status, const char *fix, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* What runs guests: the vendor's module, or where there is none kvm itself. */
const Module *check_module(const Host *host);
/* The effective value, or NULL when it is not there now. */
const char *check_effective(const Check *check, const char *module, const char *name);

/* Where a line is, as the part of a sentence: "/etc/modprobe.d/x.conf:3", or the kernel command
 * line where there is no @path. */
char *check_place(const char *path, unsigned line);
/* A file that is likely to be about KVM, by its name. */
bool check_is_about_kvm(const char *path);
