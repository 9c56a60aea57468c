/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connecting, and the name. What is on the bus is object.c's. */

#include <stdlib.h>

#include "bus.h"
#include "log.h"
#include "names.h"

int bus_open(sd_event *event, Objects *objects, sd_bus **ret) {
        int r = sd_bus_open_system(ret);
        if (r < 0)
                return r;
        /* A daemon that nobody can reach any more is of no use; systemd starts another one. */
        r = sd_bus_set_exit_on_disconnect(*ret, true);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(*ret, event, SD_EVENT_PRIORITY_NORMAL);
        return r < 0 ? r : objects_register(objects, *ret);
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
