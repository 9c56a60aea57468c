/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Describe, compare, swap, signal, and find what is asked for. It reads nothing of the host itself,
 * answers no method of ours, and knows no property by name. */

#include <errno.h>
#include <string.h>

#include "describe.h"
#include "log.h"
#include "names.h"
#include "object.h"
#include "packed-append.h"
#include "packer.h"
#include "property-answer.h"
#include "seers.h"

/* Where objects of a kind are looked for. */
typedef struct Place {
        Objects *objects;
        const ObjectKind *kind;
} Place;

/* What GetManagedObjects says of an object besides its properties: its path, and its interfaces. */
#define OBJECT_SIZE ((gsize) 512)

struct Objects {
        const ObjectKind *kinds;
        Services *services;
        unsigned guests; /* how many there are, and what they take in one message */
        gsize guests_size;
        Seers *seers;    /* of guests that are hidden from others; NULL: they are not */
        sd_bus *bus;     /* NULL until they are on it */
        GHashTable *all; /* path -> Object* */
        Place places[OBJECT_KINDS];
};

static void object_free(Object *object) {
        g_free(object->path);
        g_free(object->module);
        g_clear_pointer(&object->properties, packed_free);
        g_free(object);
}

Objects *objects_new(const ObjectKind *kinds, Services *services) {
        Objects *objects = g_new(Objects, 1);

        *objects = (Objects) {
                        .kinds = kinds,
                        .services = services,
                        .all = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) object_free),
        };
        for (unsigned i = 0; i < OBJECT_KINDS; i++)
                objects->places[i] = (Place) {.objects = objects, .kind = &kinds[i]};
        return objects;
}

void objects_free(Objects *objects) {
        if (!objects)
                return;
        g_hash_table_unref(objects->all);
        seers_free(objects->seers);
        g_free(objects);
}

static Object *object_new(Objects *objects, unsigned kind, const char *path, const char *module) {
        Object *object = g_new0(Object, 1);

        object->objects = objects;
        object->kind = &objects->kinds[kind];
        object->path = g_strdup(path);
        object->module = g_strdup(module);
        return object;
}

/* Takes over @properties. */
static void object_set(Object *object, Packed *properties) {
        g_clear_pointer(&object->properties, packed_free);
        object->properties = properties;
        object->last = 0;
}

/* False for constants and for what is no property. */
static bool emits_change(const ObjectKind *kind, const char *property) {
        for (const sd_bus_vtable *v = kind->vtable; v->type != _SD_BUS_VTABLE_END; v++)
                if (v->type == _SD_BUS_VTABLE_PROPERTY && g_str_equal(v->x.property.member, property))
                        return v->flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
        return false;
}

/* Without those that are promised never to change: signalling them is an error to sd-bus. */
static void drop_constants(const ObjectKind *kind, char **names) {
        char **to = names;

        for (char **from = names; *from; from++)
                if (emits_change(kind, *from))
                        *to++ = *from;
                else
                        g_free(*from);
        *to = NULL;
}

static bool is_hidden(const Object *object) {
        return object->objects->seers && object->kind == &object->objects->kinds[OBJECT_GUEST];
}

/* Takes over @properties. */
static void object_update(Object *object, Packed *properties) {
        g_auto(GStrv) changed = packed_diff(object->properties, properties);

        object_set(object, properties);
        if (!*changed)
                return;
        if (is_hidden(object))
                return;
        drop_constants(object->kind, changed);
        int r = sd_bus_emit_properties_changed_strv(object->objects->bus, object->path, object->kind->interface,
                                                    changed);
        if (r < 0)
                log_error("Cannot signal changed properties of %s: %s", object->path, strerror(-r));
}

static void object_add(Objects *objects, Object *object, Packed *properties) {
        object_set(object, properties);
        g_hash_table_insert(objects->all, object->path, object);
        /* At the start nobody is there to be told; the manager is there as long as the daemon
         * is. */
        const bool told = objects->bus && object->kind != &objects->kinds[OBJECT_MANAGER] && !is_hidden(object);
        int r = told ? sd_bus_emit_object_added(objects->bus, object->path) : 0;
        if (r < 0)
                log_error("Cannot signal the new object %s: %s", object->path, strerror(-r));
}

/* Takes over @properties. */
static void publish(Objects *objects, unsigned kind, const char *path, const char *module, Packed *properties) {
        Object *object = g_hash_table_lookup(objects->all, path);

        if (object)
                object_update(object, properties);
        else
                object_add(objects, object_new(objects, kind, path, module), properties);
}

/* The signal lists the interfaces that the object has, so it is sent while it still has them. */
static void tell_removed(const Objects *objects, const Object *object) {
        int r = is_hidden(object) ? 0 : sd_bus_emit_object_removed(objects->bus, object->path);

        if (r < 0)
                log_error("Cannot signal the removed object %s: %s", object->path, strerror(-r));
}

static void remove_vanished(const Objects *objects, const Host *host) {
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, objects->all);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Object *object = value;
                if (!object->module || host_module(host, object->module))
                        continue;
                tell_removed(objects, object);
                g_hash_table_iter_remove(&i);
        }
}

void objects_publish(Objects *objects, const Host *host) {
        const ObjectKind *kinds = objects->kinds;

        remove_vanished(objects, host);
        publish(objects, OBJECT_MANAGER, kinds[OBJECT_MANAGER].path, NULL, describe_manager(host));
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                g_autofree char *path = g_strconcat(kinds[OBJECT_MODULE].path, "/", module->name, NULL);
                publish(objects, OBJECT_MODULE, path, module->name, describe_module(host, module));
        }
}

char *object_guest_path(const char *uuid) {
        g_autofree char *name = g_strdelimit(g_strdup(uuid), "-", '_');

        return g_strconcat(PATH_GUEST_PREFIX "/", name, NULL);
}

char *object_guest_uuid(const Object *object) {
        return g_strdelimit(g_strdup(strrchr(object->path, '/') + 1), "_", '-');
}

static gsize guest_size(const Object *object) {
        return object ? packed_message_size(object->properties) + OBJECT_SIZE : 0;
}

bool objects_publish_guest(Objects *objects, const char *uuid, GVariant *described) {
        g_autofree char *path = object_guest_path(uuid);
        g_autoptr(Packed) properties = packer_pack(described);
        const Object *before = g_hash_table_lookup(objects->all, path);
        const gsize others = objects->guests_size - guest_size(before),
                    size = packed_message_size(properties) + OBJECT_SIZE;

        if ((!before && objects->guests >= OBJECTS_GUESTS_MAX) || size > OBJECTS_GUESTS_SIZE - others) {
                objects_withdraw_guest(objects, uuid);
                return false;
        }
        objects->guests += !before;
        objects->guests_size = others + size;
        publish(objects, OBJECT_GUEST, path, NULL, g_steal_pointer(&properties));
        return true;
}

bool objects_has_guest(const Objects *objects, const char *uuid) {
        g_autofree char *path = object_guest_path(uuid);

        return g_hash_table_contains(objects->all, path);
}

void objects_withdraw_guest(Objects *objects, const char *uuid) {
        g_autofree char *path = object_guest_path(uuid);
        const Object *object = g_hash_table_lookup(objects->all, path);

        if (!object)
                return;
        objects->guests--;
        objects->guests_size -= guest_size(object);
        tell_removed(objects, object);
        (void) g_hash_table_remove(objects->all, path);
}

void objects_hide_guests(Objects *objects) {
        if (!objects->seers)
                objects->seers = seers_new();
}

bool objects_guests_are_hidden(const Objects *objects) {
        return objects->seers != NULL;
}

void objects_show_guests(Objects *objects, const Caller *caller) {
        if (objects->seers)
                seers_add(objects->seers, caller);
}

Services *object_services(const Object *object) {
        return object->objects->services;
}

int object_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Object *object = userdata;
        const char *value = packed_find(object->properties, property, &object->last);

        if (!value)
                return sd_bus_error_setf(error, SD_BUS_ERROR_FAILED, "%s has no value for %s", path, property);
        return packed_append(reply, value);
}

/* NULL: there is none, as far as the sender of the message that @bus is at may know. */
static Object *object_find(const Objects *objects, sd_bus *bus, const char *path) {
        Object *object = g_hash_table_lookup(objects->all, path);

        return object && is_hidden(object) && !seers_have(objects->seers, bus) ? NULL : object;
}

static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                       sd_bus_error *error) {
        const Place *place = userdata;
        Object *object = object_find(place->objects, bus, path);

        if (!object || object->kind != place->kind)
                return 0;
        *ret_found = object;
        return 1;
}

/* @properties NULL: an interface of sd-bus's own, which has none. */
static int append_interface(sd_bus_message *reply, const char *interface, const Packed *properties) {
        int r = sd_bus_message_open_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sa{sv}");

        if (r >= 0)
                r = sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, interface);
        if (r >= 0)
                r = packed_append_all(reply, properties);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_object(sd_bus_message *reply, const Object *object) {
        static const char *const own[] = {"org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
                                          "org.freedesktop.DBus.Properties"};
        static const Packed nothing = {};
        int r = sd_bus_message_open_container(reply, SD_BUS_TYPE_DICT_ENTRY, "oa{sa{sv}}");

        if (r >= 0)
                r = sd_bus_message_append_basic(reply, SD_BUS_TYPE_OBJECT_PATH, object->path);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{sa{sv}}");
        for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS(own); i++)
                r = append_interface(reply, own[i], &nothing);
        if (r >= 0)
                r = append_interface(reply, object->kind->interface, object->properties);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int compare_paths(gconstpointer a, gconstpointer b) {
        return strcmp((*(const Object *const *) a)->path, (*(const Object *const *) b)->path);
}

/* All below the manager, as sd-bus would tell them: it asks its vtables anew for each property of
 * each object. */
static int append_objects(sd_bus_message *reply, const Objects *objects, bool sees) {
        g_autoptr(GPtrArray) told = g_ptr_array_sized_new(g_hash_table_size(objects->all));
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, objects->all);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Object *object = value;
                if (object->kind != &objects->kinds[OBJECT_MANAGER] && (sees || !is_hidden(object)))
                        g_ptr_array_add(told, value);
        }
        g_ptr_array_sort(told, compare_paths);
        int r = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "{oa{sa{sv}}}");
        for (guint n = 0; r >= 0 && n < told->len; n++)
                r = append_object(reply, g_ptr_array_index(told, n));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static bool is_asked_for_all(const Objects *objects, sd_bus_message *message) {
        return sd_bus_message_is_method_call(message, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") &&
               g_str_equal(sd_bus_message_get_path(message), objects->kinds[OBJECT_MANAGER].path) &&
               sd_bus_message_has_signature(message, "");
}

static int answer_all(const Objects *objects, sd_bus_message *message) {
        const bool sees = !objects->seers || seers_have(objects->seers, sd_bus_message_get_bus(message));
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0)
                r = append_objects(reply, objects, sees);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Objects *objects = userdata;
        Object *object = NULL;

        if (is_asked_for_all(objects, message))
                return answer_all(objects, message);
        if (property_is_asked(message))
                object = object_find(objects, sd_bus_message_get_bus(message), sd_bus_message_get_path(message));
        return object ? property_answer(message, object->kind->interface, object->properties, &object->last) : 0;
}

/* One place each: the prefix that sd-bus names is the one that was asked about, which may be above.
 * sd-bus frees the strings with free(), which is what GLib's are allocated with. */
static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        const Place *place = userdata;
        GPtrArray *nodes = g_ptr_array_new();
        const bool sees = !place->objects->seers || seers_have(place->objects->seers, bus);
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, place->objects->all);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Object *object = value;
                if (object->kind == place->kind && (!is_hidden(object) || sees))
                        g_ptr_array_add(nodes, g_strdup(object->path));
        }
        g_ptr_array_add(nodes, NULL);
        *ret_nodes = (char **) g_ptr_array_free(nodes, FALSE);
        return 0;
}

static int register_many(sd_bus *bus, Place *place) {
        const ObjectKind *kind = place->kind;
        int r = sd_bus_add_fallback_vtable(bus, NULL, kind->path, kind->interface, kind->vtable, find_object, place);

        return r < 0 ? r : sd_bus_add_node_enumerator(bus, NULL, kind->path, enumerate, place);
}

int objects_register(Objects *objects, sd_bus *bus) {
        const ObjectKind *manager = &objects->kinds[OBJECT_MANAGER];
        int r = sd_bus_add_object_manager(bus, NULL, manager->path);

        objects->bus = bus;
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_message, objects);
        if (r >= 0)
                r = sd_bus_add_object_vtable(bus, NULL, manager->path, manager->interface, manager->vtable,
                                             g_hash_table_lookup(objects->all, manager->path));
        if (r >= 0)
                r = register_many(bus, &objects->places[OBJECT_MODULE]);
        return r < 0 ? r : register_many(bus, &objects->places[OBJECT_GUEST]);
}
