/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is published: for each object its interface and the values of its properties, as they were
 * last described. The differences between two descriptions become the signals; nobody else sends
 * PropertiesChanged, InterfacesAdded or InterfacesRemoved. */

#include "daemon.h"

typedef struct Object {
        Daemon *daemon;
        char *path;
        const char *interface;
        char *module;         /* its name; NULL for the manager and for guests */
        GVariant *properties; /* a{sv}, as one block of memory */
        gsize next; /* where the property is that will be asked for next, if they are asked for in their order */
} Object;

/* path -> Object*. */
GHashTable *objects_new(void);
/* Describes the daemon's snapshot, and signals what differs from what is published; without a bus
 * it signals nothing. */
void objects_publish(Daemon *daemon);
/* The guest of that UUID, as a{sv} (consumed when floating); it comes into being, or is signalled
 * as far as it differs. */
void object_publish_guest(Daemon *daemon, const char *uuid, GVariant *properties);
void object_withdraw_guest(Daemon *daemon, const char *uuid);
/* The path of its object. */
char *object_guest_path(const char *uuid);
/* The other way round. */
char *object_guest_uuid(const Object *object);

/* The getter of every property: the published value. An sd_bus_property_get_t whose userdata is the
 * Object. */
int object_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error);
