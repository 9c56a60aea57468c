/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The look at guests that comes before whatever is told or done: where they are hidden, it is asked
 * first whether the caller may see them. */

#include "error.h"
#include "guest-look.h"
#include "services.h"
#include "settings.h"

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

void guest_look(const Object *object, const GuestWaiter *waiter, const char *name) {
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
