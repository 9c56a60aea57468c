/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is published: for each object its interface and the values of its properties, as they were last described. The differences
 * between two descriptions become the signals; nobody else sends PropertiesChanged, InterfacesAdded or InterfacesRemoved. */

#include "daemon.h"

typedef struct Object {
        Daemon *daemon;
        char *path;
        const char *interface;
        char *module;         /* its name, NULL for the manager */
        GVariant *properties; /* a{sv} */
        GHashTable *values;   /* name -> GVariant*, the members of the above */
} Object;

/* path -> Object*. */
GHashTable *objects_new(void);
/* Describes the daemon's snapshot, and signals what differs from what is published; without a bus it signals nothing. */
void objects_publish(Daemon *daemon);

/* The getter of every property: the published value. An sd_bus_property_get_t whose userdata is the Object. */
int object_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error);
