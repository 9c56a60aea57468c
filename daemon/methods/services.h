/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the methods work with: made by the composition root, handed to them with the object that is
 * called. Each takes what it needs of it; none of them puts anything in. */

#include "authority.h"
#include "call.h"
#include "device.h"
#include "endings.h"
#include "guests.h"
#include "helper.h"
#include "host-state.h"
#include "idle.h"
#include "log-budget.h"
#include "object.h"
#include "operation-queue.h"
#include "pieces.h"
#include "readings.h"
#include "worker.h"

/* The last answer of a method (methods.h). */
typedef struct Findings Findings;
typedef struct Fingerprints Fingerprints;

struct Services {
        HostState *state;
        Calls *calls;
        OperationQueue *queue; /* who may touch the host next */
        Authority *authority;
        Worker *changes; /* changes of the host, one after the other */
        Readings *readings;
        Pieces *pieces;   /* of long answers */
        Endings *endings; /* of those in the way who go by themselves */
        Idle *idle;
        Device *device;
        Helper *prober; /* runs nestvirt-probe */
        Guests *guests;
        Findings *findings;
        Fingerprints *fingerprints;
        LogBudget *log_budget;
};
