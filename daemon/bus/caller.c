/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A match for the bus's word that a name has no owner any more. Whom to ask who somebody is, others
 * know. */

#include <errno.h>

#include "caller.h"
#include "names.h"

struct Presence {
        unsigned refs;
        sd_bus_slot *match;
        bool gone;
        CallerLeft left;
        void *userdata;
};

static int on_left(sd_bus_message *signal, void *userdata, sd_bus_error *unused) {
        Presence *presence = userdata;
        const CallerLeft left = presence->left;

        presence->gone = true;
        presence->left = NULL;
        if (left)
                left(presence->userdata);
        return 0;
}

/* Without the match the caller's leaving goes unnoticed, which costs no more than an answer that
 * nobody reads. */
static int on_match(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        return 0;
}

int caller_read(Caller *caller, sd_bus_message *reply) {
        bool has_uid = false;
        int r;

        r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_ARRAY, "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                const char *key;
                uint32_t number;

                r = sd_bus_message_read_basic(reply, SD_BUS_TYPE_STRING, &key);
                if (r >= 0 && g_str_equal(key, "UnixUserID")) {
                        r = sd_bus_message_read(reply, "v", "u", &number);
                        caller->uid = number;
                        has_uid = true;
                } else if (r >= 0 && g_str_equal(key, "ProcessID")) {
                        r = sd_bus_message_read(reply, "v", "u", &number);
                        caller->pid = (pid_t) number;
                } else if (r >= 0)
                        r = sd_bus_message_skip(reply, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : has_uid ? 0 : -ENODATA;
}

int caller_watch(Caller *caller, sd_bus *bus, CallerLeft left, void *userdata) {
        g_autofree char *match = g_strdup_printf("type='signal',sender='" DBUS_NAME "',path='" DBUS_PATH "',"
                                                 "interface='" DBUS_NAME "',member='NameOwnerChanged',"
                                                 "arg0='%s',arg2=''",
                                                 caller->sender);

        caller->presence = g_new(Presence, 1);
        *caller->presence = (Presence) {.refs = 1, .left = left, .userdata = userdata};
        return sd_bus_add_match_async(bus, &caller->presence->match, match, on_left, on_match, caller->presence);
}

void caller_notify(const Caller *caller, CallerLeft left, void *userdata) {
        caller->presence->left = left;
        caller->presence->userdata = userdata;
}

void caller_release(Caller *caller) {
        if (caller->presence)
                caller->presence->left = NULL;
}

bool caller_is_gone(const Caller *caller) {
        return caller->presence && caller->presence->gone;
}

static void presence_unref(Presence *presence) {
        if (--presence->refs > 0)
                return;
        (void) sd_bus_slot_unref(presence->match);
        g_free(presence);
}

Caller caller_copy(const Caller *caller) {
        Caller copy = *caller;

        copy.sender = g_strdup(caller->sender);
        if (copy.presence)
                copy.presence->refs++;
        return copy;
}

void caller_clear(Caller *caller) {
        g_clear_pointer(&caller->sender, g_free);
        g_clear_pointer(&caller->presence, presence_unref);
}
