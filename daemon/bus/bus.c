/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting, and the name; or the one peer that is there in their place. What is on the bus is
 * object.c's. */

#include <stdlib.h>

#include "bus.h"
#include "log.h"
#include "names.h"

/* As sd_bus_open_system() does (libsystemd's sd-bus.c), which has no say in the last of it: no
 * descriptors are taken from anybody. Nothing here wants one, Debian 13's dbus-daemon sends one
 * along with GetConnectionCredentials, and who has no room for it loses the connection. */
static int open_system(sd_bus **ret) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
        sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, address ?: "unix:path=/run/dbus/system_bus_socket");
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_negotiate_fds(bus, false);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                sd_bus_unref(bus);
        else
                *ret = bus;
        return r;
}

int bus_open(sd_event *event, Objects *objects, sd_bus **ret) {
        int r = open_system(ret);
        if (r < 0)
                return r;
        /* A daemon that nobody can reach any more is of no use; systemd starts another one. */
        r = sd_bus_set_exit_on_disconnect(*ret, true);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(*ret, event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : objects_register(objects, *ret);
}

int bus_open_peer(int fd, sd_bus **ret) {
        sd_bus *bus = NULL;
        sd_id128_t id;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0)
                r = sd_id128_randomize(&id);
        if (r >= 0)
                r = sd_bus_set_server(bus, true, id);
        /* Who has the other end was given it: it need not say who it is. */
        if (r >= 0)
                r = sd_bus_set_anonymous(bus, true);
        if (r < 0)
                sd_bus_unref(bus);
        else
                *ret = bus;
        return r;
}

int bus_serve_peer(sd_bus *bus, sd_event *event, Objects *objects, sd_bus_message_handler_t left, void *userdata) {
        /* What sd-bus itself puts in the queue at the end of a connection (libsystemd's sd-bus.c,
         * process_closing()). */
        int r = sd_bus_match_signal(bus, NULL, NULL, "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                    "Disconnected", left, userdata);

        if (r >= 0)
                r = objects_register(objects, bus);
        if (r >= 0)
                r = sd_bus_start(bus);
        return r < 0 ? r : sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
}

typedef struct Claim {
        sd_bus *bus;
        BusReady ready;
        gpointer userdata;
} Claim;

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        const Claim *claim = userdata;
        const sd_bus_error *refused = sd_bus_message_get_error(reply);
        uint32_t answer = 0;

        /* 1: ours; 4: it has been already (the D-Bus specification, RequestName). */
        if (!refused && sd_bus_message_read_basic(reply, SD_BUS_TYPE_UINT32, &answer) >= 0 &&
            (answer == 1 || answer == 4)) {
                claim->ready(claim->userdata);
                return 1;
        }
        log_error("Cannot own the bus name %s: %s", BUS_NAME, refused ? refused->message : "somebody else does");
        return sd_event_exit(sd_bus_get_event(claim->bus), EXIT_FAILURE);
}

int bus_claim_name(sd_bus *bus, BusReady ready, gpointer userdata) {
        sd_bus_slot *slot = NULL;
        Claim *claim = g_new(Claim, 1);

        *claim = (Claim) {.bus = bus, .ready = ready, .userdata = userdata};
        int r = sd_bus_request_name_async(bus, &slot, BUS_NAME, 0, on_name, claim);
        if (r < 0) {
                g_free(claim);
                return r;
        }
        (void) sd_bus_slot_set_destroy_callback(slot, g_free);
        (void) sd_bus_slot_set_floating(slot, true);
        sd_bus_slot_unref(slot);
        return 0;
}
