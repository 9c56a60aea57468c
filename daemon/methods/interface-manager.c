/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.nestvirt1.Manager: its members, and those of its methods that are short. */

#include <string.h>

#include "error.h"
#include "methods.h"
#include "operation.h"
#include "services.h"

#define SET_FLAGS (REQUEST_DRY_RUN | REQUEST_RUNTIME | REQUEST_NEXT_BOOT | REQUEST_WHEN_IDLE | REQUEST_HOLDERS)

typedef struct Refresh {
        Services *services;
        Call *call;
} Refresh;

static void refresh_drop(gpointer data) {
        g_autofree Refresh *refresh = data;

        call_drop(refresh->call);
}

static bool refresh_begin(gpointer data) {
        g_autofree Refresh *refresh = data;
        const Services *services = refresh->services;

        host_state_refresh_since(services->state, refresh->call->asked);
        guests_refresh(services->guests);
        call_reply(refresh->call, NULL);
        return false;
}

static int method_refresh(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        if (r < 0)
                return r;

        Refresh *refresh = g_new(Refresh, 1);
        *refresh = (Refresh) {.services = services, .call = call};
        call_ask_turn(call, services->queue, refresh_begin, refresh_drop, refresh);
        return 1;
}

static int method_set_parameters(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);

        return operation_take(services, message, NULL, operation_read_set_all, SET_FLAGS, error);
}

static int method_reset_parameters(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);

        return operation_take(services, message, NULL, operation_read_reset_all, SET_FLAGS, error);
}

static void on_guests(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        if (error)
                call_fail(call, error);
        else
                call_reply(call, NULL);
}

/* Looks at all of them before it answers. */
static int look(sd_bus_message *message, const Object *object, GuestAnswer answer, sd_bus_error *error) {
        const Services *services = object_services(object);
        Call *call;

        int r = call_take(services->calls, message, 0, NULL, &call, error);
        if (r < 0)
                return r;
        guests_look(services->guests, &(GuestWaiter) {.call = call, .answer = answer, .userdata = services->guests},
                    NULL);
        return 1;
}

static int method_refresh_guests(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return look(message, userdata, on_guests, error);
}

const sd_bus_vtable manager_vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_PROPERTY("Version", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_PROPERTY("Vendor", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("CpuModel", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Features", "as", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Firmware", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Level", "u", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Hypervisor", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Nested", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("NestedReason", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Mmu", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Device", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("ProbeResult", "a{sv}", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Desired", "a{ss}", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("Drift", "as", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
                SD_BUS_PROPERTY("DesiredError", "s", object_get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),

                SD_BUS_METHOD_WITH_ARGS("Refresh", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT, method_refresh,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("aa{sv}", findings),
                                        method_check, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("SetParameters", SD_BUS_ARGS("a{sa{ss}}", parameters, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_set_parameters,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ResetParameters", SD_BUS_ARGS("a{sas}", parameters, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_reset_parameters,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("a{sv}", content, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_apply, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("EnsureDevice", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("a{sv}", result),
                                        method_ensure_device, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Probe", SD_BUS_ARGS("a{sv}", options, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_probe, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetFingerprint", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("a{sv}", fingerprint),
                                        method_get_fingerprint, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("CompareFingerprints", SD_BUS_ARGS("a{sv}", first, "a{sv}", second, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_compare_fingerprints,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetGuest", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", guest), method_get_guest,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("RefreshGuests", SD_BUS_ARGS("t", flags), SD_BUS_NO_RESULT,
                                        method_refresh_guests, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ListGuests", SD_BUS_ARGS("t", flags), SD_BUS_RESULT("a(osbssssssbs)", guests),
                                        method_list_guests, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("SetCpus", SD_BUS_ARGS("as", guests, "a{sv}", cpu, "t", flags),
                                        SD_BUS_RESULT("a{sv}", result), method_set_cpus, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetStatistics", SD_BUS_ARGS("as", guests, "t", flags),
                                        SD_BUS_RESULT("a{sa{sv}}", statistics), method_get_statistics,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
};
