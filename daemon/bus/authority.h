/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The gate: may this caller do this? A table says which polkit action a method needs; a method that
 * is not in it is refused. uid 0 passes without polkit; without polkit nobody else does. Everything
 * here is asynchronous, and it knows nothing of what is done with a yes. The other question is what
 * a caller may see of what is other users', which is never refused: it is shown less. */

#include <stdbool.h>

#include "call.h"

typedef struct Authority Authority;

typedef enum Verdict {
        VERDICT_YES,
        VERDICT_NO,   /* with an error for the caller */
        VERDICT_GONE, /* the caller left the bus, or the daemon ends: nobody is there to be answered */
} Verdict;

/* Called once. @caller and @error stay the gate's. */
typedef void (*AuthorityDone)(Verdict verdict, const Caller *caller, const GError *error, void *userdata);

/* @always_ask: polkit decides for uid 0, too. */
Authority *authority_new(sd_bus *bus, bool always_ask);
/* Those who wait are gone. */
void authority_free(Authority *authority);

/* What polkit's rules and dialogs get as details (but for @action); NULL: "". @when is a
 * constant. */
typedef struct AuthorityDetails {
        const char *action;     /* of several that a method needs; a constant */
        const char *module;     /* "kvm_amd" */
        const char *parameters; /* "kvm_amd.nested=0", "mode=custom nested=no" */
        const char *when;       /* "now", see request.h */
        const char *guest;      /* its name */
} AuthorityDetails;

/* Asks for the sender of @call; @details NULL: there are none. With a yes, whoever acts on it later
 * asks caller_is_gone() first. */
void authority_ask(Authority *authority, sd_bus_message *call, const AuthorityDetails *details, AuthorityDone done,
                   void *userdata);

/* Whether @call, which is admitted, is uid 0's, about whom polkit does not decide: then @ret is who
 * it is, the caller's to clear, without that they are watched. */
bool authority_knows(const Authority *authority, const Call *call, Caller *ret);

/* Asks, and nobody for a password, whether the sender of @call may see it all: YES; NO, with the
 * uid of the caller, or (uid_t) -1 where the bus does not say it: only what is its own. */
void authority_ask_details(Authority *authority, sd_bus_message *call, AuthorityDone done, void *userdata);
