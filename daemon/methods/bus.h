/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The connection to the bus, which objects with which vtables are on it, and the one place where
 * the core's errors become D-Bus errors. */

#include <stdbool.h>

#include "daemon.h"

extern const sd_bus_vtable manager_vtable[]; /* bus-manager.c */
extern const sd_bus_vtable module_vtable[];  /* bus-module.c */
extern const sd_bus_vtable guest_vtable[];   /* bus-guest.c */
/* order-guest.c */
int order_guest_set_cpu(sd_bus_message *message, void *userdata, sd_bus_error *error);
int order_guest_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* bus-probe.c */
int bus_method_probe(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* bus-statistics.c */
int bus_method_get_statistics(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* Connects and puts the objects of daemon->objects on the bus; a negative errno on failure. */
int bus_open(Daemon *daemon);
/* Asks for the bus name; @ready is called when it is ours. Without it there is nothing to serve:
 * the loop is ended. */
int bus_claim_name(Daemon *daemon, void (*ready)(Daemon *daemon));

/* Fills @ret with the condition's name and its message; returns what a method handler has to
 * return. */
int bus_error(sd_bus_error *ret, const GError *error);
/* True when a change of the property is signalled: false for constants and for what is no
 * property. */
bool bus_property_emits_change(const char *interface, const char *property);

/* The trailing "t flags" of @message, which stays unread; false with InvalidArgs for bits that are
 * not in @allowed. */
bool bus_read_flags(sd_bus_message *message, uint64_t allowed, uint64_t *ret, GError **error);
