/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.nestvirt1.Module: its members, and those of its methods that are short. */

#include "describe-reply.h"
#include "methods.h"
#include "operation.h"
#include "services.h"

#define SET_FLAGS (REQUEST_DRY_RUN | REQUEST_RUNTIME | REQUEST_NEXT_BOOT | REQUEST_WHEN_IDLE | REQUEST_HOLDERS)

typedef struct Listing {
        Readings *readings;
        Authority *authority;
        Call *call;
        bool all; /* it may see others' */
        gint64 asked;
        Users *users;
} Listing;

static void listing_free(Listing *listing) {
        g_clear_pointer(&listing->users, users_unref);
        g_free(listing);
}

static void listing_drop(gpointer data) {
        Listing *listing = data;

        call_drop(listing->call);
        listing_free(listing);
}

static void listing_run(gpointer data) {
        Listing *listing = data;

        listing->users = readings_users(listing->readings, listing->asked);
}

static void listing_done(gpointer data, gpointer userdata) {
        Listing *listing = data;
        g_autoptr(Users) own = listing->all ? NULL : users_of(listing->users, call_uid(listing->call));

        call_reply(listing->call, describe_users(own ?: listing->users));
        listing_free(listing);
}

static void on_sight(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Listing *listing = userdata;

        if (verdict == VERDICT_GONE) {
                listing_drop(listing);
                return;
        }
        listing->all = verdict == VERDICT_YES;
        worker_submit_for(listing->readings->scans, call_uid(listing->call), listing_run, listing_done, listing_drop,
                          listing, NULL);
}

static void listing_begin(gpointer data) {
        Listing *listing = data;

        authority_ask_details(listing->authority, listing->call->message, on_sight, listing);
}

static int method_list_users(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        if (r < 0)
                return r;

        Listing *listing = g_new0(Listing, 1);
        *listing = (Listing) {
                        .readings = services->readings,
                        .authority = services->authority,
                        .call = call,
                        .asked = call->asked,
        };
        call_admit(call, listing_begin, listing_drop, listing);
        return 1;
}

static int method_set_parameters(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;

        return operation_take(object_services(object), message, object->module, operation_read_set, SET_FLAGS, error);
}

static int method_reset_parameters(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;

        return operation_take(object_services(object), message, object->module, operation_read_reset, SET_FLAGS, error);
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const Object *object = userdata;

        return operation_take(object_services(object), message, object->module, operation_read_reload,
                              REQUEST_DRY_RUN | REQUEST_HOLDERS, error);
}

const sd_bus_vtable module_vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_PROPERTY("Name", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_PROPERTY("State", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("InUse", "b", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Parameters", "a{sa{sv}}", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Pending", "a{ss}", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),

                SD_BUS_METHOD_WITH_ARGS("ListUsers", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("aa{sv}", users),
                                        method_list_users, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("SetParameters", SD_BUS_ARGS("a{ss}", parameters, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_set_parameters,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ResetParameters", SD_BUS_ARGS("as", parameters, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_reset_parameters,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("a{sv}", result),
                                        method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("CancelPending", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT,
                                        method_cancel_pending, SD_BUS_VTABLE_UNPRIVILEGED),

                SD_BUS_SIGNAL_WITH_ARGS("ChangeFinished", SD_BUS_ARGS("a{ss}", parameters, "s", outcome, "s", error),
                                        0),
                SD_BUS_VTABLE_END,
};
