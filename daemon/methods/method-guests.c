/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The methods that tell of guests, GetGuest and ListGuests, and the look at guests that comes
 * before whatever is told or done: where they are hidden, it is asked first whether the caller may
 * see them. */

#include <string.h>

#include "error.h"
#include "methods.h"
#include "services.h"
#include "settings.h"

/* Far above what QEMU's guests can have, whose names are names of files: the call is kept as long
 * as libvirt takes. */
#define GUEST_NAME_MAX 4096U

typedef struct Look {
        Services *services;
        Objects *objects;
        char *name; /* NULL: all of them */
        GuestWaiter waiter;
} Look;

static void look_free(Look *look) {
        g_free(look->name);
        g_free(look);
}

static void look_drop(gpointer data) {
        Look *look = data;

        call_drop(look->waiter.call);
        if (look->waiter.drop)
                look->waiter.drop(look->waiter.userdata);
        look_free(look);
}

static void look_begin(Look *look) {
        guests_look(look->services->guests, &look->waiter, look->name);
        look_free(look);
}

static void look_refuse(Look *look) {
        g_autoptr(GError) error = g_error_new_literal(
                        CONDITION, CONDITION_ACCESS_DENIED,
                        "Not allowed: on this host guests are shown only to root, and to whom polkit allows the "
                        "action org.nestvirt1.read-details without asking (Hidden=true in /" SETTINGS_PATH ")");

        look->waiter.answer(look->waiter.call, &(GuestFound) {}, error, look->waiter.userdata);
        look_free(look);
}

static void on_sight(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Look *look = userdata;

        switch (verdict) {
        case VERDICT_YES:
                objects_show_guests(look->objects, caller);
                look_begin(look);
                return;
        case VERDICT_NO:
                look_refuse(look);
                return;
        case VERDICT_GONE:
        default:
                look_drop(look);
        }
}

static void look_ask(gpointer data) {
        Look *look = data;

        authority_ask_details(look->services->authority, look->waiter.call->message, on_sight, look);
}

void method_look(const Object *object, const GuestWaiter *waiter, const char *name) {
        Look *look = g_new(Look, 1);

        *look = (Look) {
                        .services = object_services(object),
                        .objects = object->objects,
                        .name = g_strdup(name),
                        .waiter = *waiter,
        };
        if (objects_guests_are_hidden(look->objects))
                call_admit(waiter->call, look_ask, look_drop, look);
        else
                look_begin(look);
}

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
        method_look(object, &(GuestWaiter) {.call = call, .answer = on_guest, .userdata = object->objects}, name);
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
        method_look(object, &(GuestWaiter) {.call = call, .answer = on_listed, .userdata = services->guests}, NULL);
        return 1;
}
