/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Describe, compare, swap, signal. It reads nothing of the host itself and knows no property by name. */

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
        g_hash_table_unref(object->values);
        g_free(object);
}

GHashTable *objects_new(void) {
        return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) object_free);
}

static Object *object_new(Daemon *daemon, const char *path, const char *module) {
        Object *object = g_new0(Object, 1);

        object->daemon = daemon;
        object->path = g_strdup(path);
        object->interface = module ? IFACE_MODULE : IFACE_MANAGER;
        object->module = g_strdup(module);
        object->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
        return object;
}

static void object_set(Object *object, GVariant *properties) {
        GVariantIter i;
        const char *name;
        GVariant *value;

        g_clear_pointer(&object->properties, g_variant_unref);
        object->properties = g_variant_ref(properties);
        g_hash_table_remove_all(object->values);
        g_variant_iter_init(&i, properties);
        while (g_variant_iter_next(&i, "{&sv}", &name, &value))
                g_hash_table_insert(object->values, g_strdup(name), value);
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

        object_set(object, properties);
        drop_constants(object->interface, changed);
        int r = sd_bus_emit_properties_changed_strv(object->daemon->bus, object->path, object->interface, changed);
        if (r < 0)
                log_error("Cannot signal changed properties of %s: %s", object->path, strerror(-r));
}

static void object_add(Daemon *daemon, const char *path, const char *module, GVariant *properties) {
        Object *object = object_new(daemon, path, module);

        object_set(object, properties);
        g_hash_table_insert(daemon->objects, object->path, object);
        /* At the start nobody is there to be told; the manager is there as long as the daemon is. */
        int r = module && daemon->bus ? sd_bus_emit_object_added(daemon->bus, path) : 0;
        if (r < 0)
                log_error("Cannot signal the new object %s: %s", path, strerror(-r));
}

static void publish(Daemon *daemon, const char *path, const char *module, GVariant *described) {
        g_autoptr(GVariant) properties = g_variant_ref_sink(described);
        Object *object = g_hash_table_lookup(daemon->objects, path);

        if (object)
                object_update(object, properties);
        else
                object_add(daemon, path, module, properties);
}

/* The signal lists the interfaces that the object has, so it is sent while it still has them. */
static void remove_vanished(Daemon *daemon) {
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, daemon->objects);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Object *object = value;
                if (!object->module || host_module(daemon->host, object->module))
                        continue;
                int r = sd_bus_emit_object_removed(daemon->bus, object->path);
                if (r < 0)
                        log_error("Cannot signal the removed object %s: %s", object->path, strerror(-r));
                g_hash_table_iter_remove(&i);
        }
}

void objects_publish(Daemon *daemon) {
        const Host *host = daemon->host;

        remove_vanished(daemon);
        publish(daemon, PATH_MANAGER, NULL, describe_manager(host));
        for (unsigned i = 0; i < host->modules->len; i++) {
                const Module *module = g_ptr_array_index(host->modules, i);
                g_autofree char *path = g_strconcat(PATH_MODULE_PREFIX "/", module->name, NULL);
                publish(daemon, path, module->name, describe_module(host, module));
        }
}

int object_get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        GVariant *value = g_hash_table_lookup(object->values, property);

        if (!value)
                return sd_bus_error_setf(error, SD_BUS_ERROR_FAILED, "%s has no value for %s", path, property);
        return variant_append(reply, value);
}
