/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting and registering. The members are in bus-manager.c, bus-module.c and bus-guest.c; it
 * answers no method itself. */

#include <errno.h>
#include <string.h>

#include "bus.h"
#include "error.h"
#include "log.h"
#include "names.h"
#include "object.h"
#include "request.h"

int bus_error(sd_bus_error *ret, const GError *error) {
        /* A message may name files and values of others, and D-Bus takes no reply that is not
         * UTF-8. */
        g_autofree char *message = g_utf8_make_valid(error->message, -1);

        return sd_bus_error_set(ret, condition_to_name(condition_of(error)), message);
}

bool bus_property_emits_change(const char *interface, const char *property) {
        const sd_bus_vtable *v = g_str_equal(interface, IFACE_MANAGER)  ? manager_vtable
                                 : g_str_equal(interface, IFACE_MODULE) ? module_vtable
                                                                        : guest_vtable;

        for (; v->type != _SD_BUS_VTABLE_END; v++)
                if (v->type == _SD_BUS_VTABLE_PROPERTY && g_str_equal(v->x.property.member, property))
                        return v->flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
        return false;
}

static int read_last(sd_bus_message *message, uint64_t *ret) {
        const char *signature = sd_bus_message_get_signature(message, true);
        g_autofree char *before = g_strndup(signature, strlen(signature) - 1);
        int r = *before ? sd_bus_message_skip(message, before) : 0;

        if (r >= 0)
                r = sd_bus_message_read_basic(message, SD_BUS_TYPE_UINT64, ret);
        if (r >= 0)
                r = sd_bus_message_rewind(message, true);
        return r;
}

bool bus_read_flags(sd_bus_message *message, uint64_t allowed, uint64_t *ret, GError **error) {
        int r = read_last(message, ret);

        if (r < 0) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
                return false;
        }
        return request_check_flags(*ret, allowed, error);
}

static int find_object(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                       sd_bus_error *error) {
        const Daemon *daemon = userdata;
        Object *object = g_hash_table_lookup(daemon->objects, path);

        if (!object || !g_str_equal(object->interface, interface))
                return 0;
        *ret_found = object;
        return 1;
}

/* sd-bus frees the strings with free(), which is what GLib's are allocated with. */
static int enumerate_kind(const Daemon *daemon, const char *interface, char ***ret_nodes) {
        GPtrArray *nodes = g_ptr_array_new();
        GHashTableIter i;
        gpointer value;

        g_hash_table_iter_init(&i, daemon->objects);
        while (g_hash_table_iter_next(&i, NULL, &value)) {
                const Object *object = value;
                if (g_str_equal(object->interface, interface))
                        g_ptr_array_add(nodes, g_strdup(object->path));
        }
        g_ptr_array_add(nodes, NULL);
        *ret_nodes = (char **) g_ptr_array_free(nodes, FALSE);
        return 0;
}

/* One each: the prefix that sd-bus names is the one that was asked about, which may be above. */
static int enumerate_modules(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        return enumerate_kind(userdata, IFACE_MODULE, ret_nodes);
}

static int enumerate_guests(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        return enumerate_kind(userdata, IFACE_GUEST, ret_nodes);
}

static int add_kind(Daemon *daemon, const char *prefix, const char *interface, const sd_bus_vtable *vtable,
                    sd_bus_node_enumerator_t enumerate) {
        int r = sd_bus_add_fallback_vtable(daemon->bus, NULL, prefix, interface, vtable, find_object, daemon);

        return r < 0 ? r : sd_bus_add_node_enumerator(daemon->bus, NULL, prefix, enumerate, daemon);
}

static int add_objects(Daemon *daemon) {
        sd_bus *bus = daemon->bus;
        Object *manager = g_hash_table_lookup(daemon->objects, PATH_MANAGER);
        int r;

        r = sd_bus_add_object_manager(bus, NULL, PATH_MANAGER);
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(bus, NULL, PATH_MANAGER, IFACE_MANAGER, manager_vtable, manager);
        if (r < 0)
                return r;
        r = add_kind(daemon, PATH_MODULE_PREFIX, IFACE_MODULE, module_vtable, enumerate_modules);
        if (r < 0)
                return r;
        return add_kind(daemon, PATH_GUEST_PREFIX, IFACE_GUEST, guest_vtable, enumerate_guests);
}

int bus_open(Daemon *daemon) {
        int r = sd_bus_open_system(&daemon->bus);
        if (r < 0)
                return r;
        /* A daemon that nobody can reach any more is of no use; systemd starts another one. */
        r = sd_bus_set_exit_on_disconnect(daemon->bus, true);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(daemon->bus, daemon->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        return add_objects(daemon);
}

typedef struct Claim {
        Daemon *daemon;
        void (*ready)(Daemon *daemon);
} Claim;

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Claim *claim = userdata;
        const sd_bus_error *refused = sd_bus_message_get_error(reply);
        uint32_t answer = 0;

        /* 1: ours; 4: it has been already (the D-Bus specification, RequestName). */
        if (!refused && sd_bus_message_read_basic(reply, SD_BUS_TYPE_UINT32, &answer) >= 0 &&
            (answer == 1 || answer == 4)) {
                claim->ready(claim->daemon);
                return 1;
        }
        log_error("Cannot own the bus name %s: %s", BUS_NAME, refused ? refused->message : "somebody else does");
        return sd_event_exit(claim->daemon->event, EXIT_FAILURE);
}

int bus_claim_name(Daemon *daemon, void (*ready)(Daemon *daemon)) {
        sd_bus_slot *slot = NULL;
        Claim *claim = g_new(Claim, 1);

        *claim = (Claim) {.daemon = daemon, .ready = ready};
        int r = sd_bus_request_name_async(daemon->bus, &slot, BUS_NAME, 0, on_name, claim);
        if (r < 0) {
                g_free(claim);
                return r;
        }
        (void) sd_bus_slot_set_destroy_callback(slot, g_free);
        (void) sd_bus_slot_set_floating(slot, true);
        sd_bus_slot_unref(slot);
        return 0;
}
