/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A guest as its interface on the bus shows it. Pure. */

#include <glib.h>

#include "guest-facts.h"
#include "guest-host.h"

/* The properties of org.nestvirt1.Guest as a{sv}, floating, its keys sorted. */
GVariant *describe_guest(const GuestFacts *facts, const GuestHost *host);
