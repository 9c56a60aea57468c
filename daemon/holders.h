/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The processes that hold KVM, watched until one of them ends: looked for on the worker of readings, then a pidfd each. */

#include "daemon.h"

typedef struct Holders Holders;

/* @ended is called on the loop each time when one that was watched is gone. */
Holders *holders_new(Daemon *daemon, void (*ended)(void *userdata), void *userdata);
void holders_free(Holders *holders);
/* Looks for them anew; one look at a time. */
void holders_look(Holders *holders);
void holders_forget(Holders *holders);
