/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods that tell of guests, GetGuest and ListGuests. */

#include <string.h>

#include "error.h"
#include "guest-look.h"
#include "methods.h"
#include "services.h"

/* Far above what QEMU's guests can have, whose names are names of files: the call is kept as long
 * as libvirt takes. */
#define GUEST_NAME_MAX 4096U

static void on_guest(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        g_autoptr(GError) none = NULL;

        if (!error && !objects_has_guest(userdata, found->facts->uuid))
                g_set_error(&none, CONDITION, CONDITION_LIMITS_EXCEEDED,
                            "libvirt has more guests than nestvirtd can show at a time, and this one is left out");
        if (error || none) {
                call_fail(call, error ?: none);
                return;
        }
        g_autofree char *path = object_guest_path(found->facts->uuid);
        call_reply(call, g_variant_new("(o)", path));
}

int method_get_guest(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        Services *services = object_services(object);
        g_autoptr(GError) refused = NULL;
        const char *name;

        int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
        if (r < 0)
                return r;
        if (strnlen(name, GUEST_NAME_MAX + 1) > GUEST_NAME_MAX) {
                g_set_error(&refused, CONDITION, CONDITION_NO_SUCH_GUEST,
                            "No guest has a name of more than %u bytes; \"nestvirtctl guests\" lists them",
                            GUEST_NAME_MAX);
                return call_refuse(error, refused);
        }
        Call *call = call_new(services->calls, message, &refused);
        if (!call)
                return call_refuse(error, refused);
        guest_look(object, &(GuestWaiter) {.call = call, .answer = on_guest, .userdata = object->objects}, name);
        return 1;
}

static void on_listed(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        if (error)
                call_fail(call, error);
        else
                guests_list(userdata, call);
}

int method_list_guests(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;
        const Services *services = object_services(object);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        if (r < 0)
                return r;
        guest_look(object, &(GuestWaiter) {.call = call, .answer = on_listed, .userdata = services->guests}, NULL);
        return 1;
}
