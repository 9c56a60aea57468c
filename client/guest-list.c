/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call and its answer. It must not interpret what the daemon says. */

#include "guest-list.h"

int guest_list_ask(Client *client, CallKind kind, sd_bus_message **ret, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = connection_prepare(client, PATH_MANAGER, IFACE_MANAGER, "ListGuests", &call, error);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "t", UINT64_C(0));
        if (r < 0)
                return connection_fail(client, r, error);
        return connection_call_message(client, call, kind, ret, error);
}

/* 0 at the end of the array. */
static int read_row(sd_bus_message *guests, GuestRow *ret) {
        int active, restart_needed;
        int r = sd_bus_message_read(guests, "(osbssssssbs)", &ret->path, &ret->name, &active, &ret->mode, &ret->model,
                                    &ret->policy, &ret->next_start, &ret->now, &ret->using, &restart_needed,
                                    &ret->saved_state);

        if (r <= 0)
                return r;
        ret->active = active != 0;
        ret->restart_needed = restart_needed != 0;
        return r;
}

int guest_list_read(sd_bus_message *guests, void (*take)(const GuestRow *row, gpointer userdata), gpointer userdata,
                    guint64 *ret_omitted) {
        GuestRow row;
        int r = sd_bus_message_enter_container(guests, SD_BUS_TYPE_ARRAY, "(osbssssssbs)");

        *ret_omitted = 0;
        if (r < 0)
                return r;
        while ((r = read_row(guests, &row)) > 0)
                if (g_str_equal(row.path, "/")) /* it has no guest */
                        *ret_omitted = g_ascii_strtoull(row.name, NULL, 10);
                else
                        take(&row, userdata);
        return r;
}
