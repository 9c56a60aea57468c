/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Describe, compare, swap, signal. It reads nothing of the host itself and knows no property by
 * name. */

#include <errno.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "names.h"
#include "object.h"
#include "variant.h"

static void object_free(Object *object) {
        g_free(object->path);
        g_free(object->module);
        g_clear_pointer(&object->properties, g_variant_unref);
        g_free(object);
}

GHashTable *objects_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) object_free);
}

static Object *object_new(Daemon *daemon, const char *path, const char *interface, const char *module) {
        Object *object = g_new0(Object, 1);

        object->daemon = daemon;
        object->path = g_strdup(path);
        object->interface = interface;
        object->module = g_strdup(module);
        return object;
}

/* Asking for its data makes a tree of small blocks one large one: there may be ten thousand of
 * these. */
static void object_set(Object *object, GVariant *properties) {
        g_clear_pointer(&object->properties, g_variant_unref);
        (void) g_variant_get_data(properties);
        object->properties = g_variant_ref(properties);
}

/* Without those that are promised never to change: signalling them is an error to sd-bus. */
static void drop_constants(const char *interface, char **names) {
        char **to = names;

        for (char **from = names; *from; from++)
                if (bus_property_emits_change(interface, *from))
                        *to++ = *from;
                else
                        g_free(*from);
        *to = NULL;
}

static void object_update(Object *object, GVariant *properties) {
        g_auto(GStrv) changed = describe_diff(object->properties, properties);

        if (!*changed)
                return;
        object_set(object, properties);
        drop_constants(object->interface, changed);
        int r = sd_bus_emit_properties_changed_strv(object->daemon->bus, object->path, object->interface, changed);
        if (r < 0)
                log_error("Cannot signal changed properties of %s: %s", object->path, strerror(-r));
}

static void object_add(Daemon *daemon, Object *object, GVariant *properties) {

        object_set(object, properties);
        g_hash_table_insert(daemon->objects, object->path, object);
        /* At the start nobody is there to be told; the manager is there as long as the daemon
         * is. */
        const bool told = daemon->bus && !g_str_equal(object->path, PATH_MANAGER);
        int r = told ? sd_bus_emit_object_added(daemon->bus, object->path) : 0;
        if (r < 0)
                log_error("Cannot signal the new object %s: %s", object->path, strerror(-r));
}

static void publish(Daemon *daemon, const char *path, const char *interface, const char *module, GVariant *described) {
        g_autoptr(GVariant) properties = g_variant_ref_sink(described);
        Object *object = g_hash_table_lookup(daemon->objects, path);

        if (object)
                object_update(object, properties);
        else
                object_add(daemon, object_new(daemon, path, interface, module), properties);
}

/* The signal lists the interfaces that the object has, so it is sent while it still has them. */
static void tell_removed(const Daemon *daemon, const Object *object) {
        int r = sd_bus_emit_object_removed(daemon->bus, object->path);

        if (r < 0)
                log_error("Cannot signal the removed object %s: %s", object->path, strerror(-r));
}

static void remove_vanished(Daemon *daemon) {
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, daemon->objects);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Object *object = value;
                if (!object->module || host_module(daemon->host, object->module))
                        continue;
                tell_removed(daemon, object);
                g_hash_table_iter_remove(&i);
        }
}

void objects_publish(Daemon *daemon) {
        const Host *host = daemon->host;

        remove_vanished(daemon);
        publish(daemon, PATH_MANAGER, IFACE_MANAGER, NULL, describe_manager(host));
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                g_autofree char *path = g_strconcat(PATH_MODULE_PREFIX "/", module->name, NULL);
                publish(daemon, path, IFACE_MODULE, module->name, describe_module(host, module));
        }
}

char *object_guest_path(const char *uuid) {
        g_autofree char *name = g_strdelimit(g_strdup(uuid), "-", '_');

        return g_strconcat(PATH_GUEST_PREFIX "/", name, NULL);
}

char *object_guest_uuid(const Object *object) {
        return g_strdelimit(g_strdup(strrchr(object->path, '/') + 1), "_", '-');
}

void object_publish_guest(Daemon *daemon, const char *uuid, GVariant *properties) {
        g_autofree char *path = object_guest_path(uuid);

        publish(daemon, path, IFACE_GUEST, NULL, properties);
}

void object_withdraw_guest(Daemon *daemon, const char *uuid) {
        g_autofree char *path = object_guest_path(uuid);
        const Object *object = g_hash_table_lookup(daemon->objects, path);

        if (!object)
                return;
        tell_removed(daemon, object);
        (void) g_hash_table_remove(daemon->objects, path);
}

/* All of an object's properties are asked for in the order in which vtable and dictionary have
 * them: then the first look finds it. */
static GVariant *object_value(Object *object, const char *property) {
        const gsize n = g_variant_n_children(object->properties);

        for (gsize i = 0; i < n; i++) {
                const gsize at = (object->next + i) % n;
                g_autoptr(GVariant) entry = g_variant_get_child_value(object->properties, at), value = NULL;
                const char *name;
                g_variant_get(entry, "{&sv}", &name, &value);
                if (!g_str_equal(name, property))
                        continue;
                object->next = at + 1;
                return g_steal_pointer(&value);
        }
        return NULL;
}

int object_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        g_autoptr(GVariant) value = object_value(userdata, property);

        if (!value)
                return sd_bus_error_setf(error, SD_BUS_ERROR_FAILED, "%s has no value for %s", path, property);
        return variant_append(reply, value);
}
