/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is published: for each object its interface and the values of its properties, as they were
 * last described. The differences between two descriptions become the signals; nobody else sends
 * PropertiesChanged, InterfacesAdded or InterfacesRemoved. */

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "caller.h"
#include "host.h"
#include "packed.h"

/* What methods are given: the objects only hand it on. */
typedef struct Services Services;

typedef struct ObjectKind {
        const char *path; /* of the one object, or of the folder that all of them are in */
        const char *interface;
        const sd_bus_vtable *vtable; /* its handlers' userdata is the Object */
} ObjectKind;

/* Of an array of ObjectKind. */
enum { OBJECT_MANAGER, OBJECT_MODULE, OBJECT_GUEST, OBJECT_KINDS };

typedef struct Objects Objects;

typedef struct Object {
        Objects *objects;
        const ObjectKind *kind;
        char *path;
        char *module; /* its name; NULL for the manager and for guests */
        Packed *properties;
        gsize last; /* of packed_find() */
} Object;

/* @kinds: OBJECT_KINDS of them. Neither is taken over. */
Objects *objects_new(const ObjectKind *kinds, Services *services);
/* The bus has no objects of ours any more. */
void objects_free(Objects *objects);
/* Puts them on @bus, and has changes signalled from now on; a negative errno on failure. */
int objects_register(Objects *objects, sd_bus *bus);
/* Describes @host, and signals what differs from what is published; without a bus it signals
 * nothing. */
void objects_publish(Objects *objects, const Host *host);
/* So many guests have an object, and so many bytes of GetManagedObjects. */
#define OBJECTS_GUESTS_MAX 20000U
#define OBJECTS_GUESTS_SIZE ((gsize) 28 * 1024 * 1024)
/* The guest of that UUID, as a{sv} (consumed when floating); it comes into being, or is signalled
 * as far as it differs. False: there are too many, and it has no object (any more). */
bool objects_publish_guest(Objects *objects, const char *uuid, GVariant *properties);
bool objects_has_guest(const Objects *objects, const char *uuid);
void objects_withdraw_guest(Objects *objects, const char *uuid);
/* From now on no guest is signalled, and none is found but by those that are shown them. */
void objects_hide_guests(Objects *objects);
bool objects_guests_are_hidden(const Objects *objects);
void objects_show_guests(Objects *objects, const Caller *caller);
/* The path of its object. */
char *object_guest_path(const char *uuid);
/* The other way round. */
char *object_guest_uuid(const Object *object);
Services *object_services(const Object *object);

/* The getter of every property: the published value. An sd_bus_property_get_t whose userdata is the
 * Object. */
int object_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error);
