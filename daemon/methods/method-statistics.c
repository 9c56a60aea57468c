/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method GetStatistics: which machines are meant, whom to ask, and the answer. It reads nothing
 * itself.
 *
 * debugfs comes first: it is one read for each counter, has all machines and every counter, and
 * answers whatever libvirt does. libvirt is asked, off the loop as for all of its answers, for what
 * debugfs lacks of a guest. */

#include <errno.h>
#include <string.h>

#include "describe-reply.h"
#include "error.h"
#include "methods.h"
#include "services.h"
#include "statistics.h"

/* Longer than any UUID and any PID-FD. */
#define NAME_MAX_LENGTH 64U

typedef struct Reading {
        Services *services;
        Call *call;
        bool all; /* it may see others' */
        Root *root;
        GStrv names;
        GHashTable *guests; /* UUIDs of those that run */
        Statistics *statistics;
        GError *error;
} Reading;

/* Not the call, which is always somebody's. */
static void reading_free(gpointer data) {
        Reading *reading = data;

        root_unref(reading->root);
        g_strfreev(reading->names);
        g_clear_pointer(&reading->guests, g_hash_table_unref);
        statistics_free(reading->statistics);
        g_clear_error(&reading->error);
        g_free(reading);
}

static void reading_drop(gpointer data) {
        Reading *reading = data;

        call_drop(reading->call);
        reading_free(reading);
}

static void reading_run(gpointer data) {
        Reading *reading = data;

        reading->statistics = statistics_read(reading->root, reading->guests, (const char *const *) reading->names,
                                              &reading->error);
}

static void reading_answer(Reading *reading) {
        if (reading->statistics && !reading->error)
                call_reply(reading->call,
                           describe_statistics(reading->statistics->vms, reading->all, call_uid(reading->call)));
        else
                call_fail(reading->call, reading->error);
        reading_free(reading);
}

static void on_counted(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        Reading *reading = userdata;

        reading->call = call;
        (void) statistics_complete(reading->statistics, found->counters, error, &reading->error);
        reading_answer(reading);
}

static void reading_done(gpointer data, gpointer userdata) {
        Reading *reading = data;
        g_autoptr(GPtrArray) lacking = reading->statistics ? statistics_lacking(reading->statistics) : NULL;

        if (lacking && lacking->len > 0) {
                Call *call = g_steal_pointer(&reading->call);
                const GuestWaiter waiter = {
                                .call = call, .answer = on_counted, .userdata = reading, .drop = reading_free};
                guests_count(reading->services->guests, &waiter, g_steal_pointer(&lacking));
        } else
                reading_answer(reading);
}

static void on_sight(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Reading *reading = userdata;
        const Services *services = reading->services;

        if (verdict == VERDICT_GONE) {
                reading_drop(reading);
                return;
        }
        reading->all = verdict == VERDICT_YES;
        reading->guests = guests_running(services->guests);
        worker_submit_for(services->readings->worker, call_uid(reading->call), reading_run, reading_done, reading_drop,
                          reading, NULL);
}

static void reading_begin(gpointer data) {
        Reading *reading = data;

        authority_ask_details(reading->services->authority, reading->call->message, on_sight, reading);
}

static GStrv read_names(sd_bus_message *message, GError **error) {
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        const char *name;
        int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "s");

        while (r >= 0 && (r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name)) > 0) {
                if (names->len >= STATISTICS_MAX) {
                        g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "At most %u names at a time",
                                    STATISTICS_MAX);
                        return NULL;
                }
                if (strnlen(name, NAME_MAX_LENGTH + 1) > NAME_MAX_LENGTH) {
                        g_set_error(error, CONDITION, CONDITION_NO_SUCH_GUEST,
                                    "No virtual machine has a name of more than %u characters", NAME_MAX_LENGTH);
                        return NULL;
                }
                /* As libvirt writes UUIDs; the other names are numbers. */
                g_ptr_array_add(names, g_ascii_strdown(name, -1));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0) {
                (void) call_unreadable(r, error);
                return NULL;
        }
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

int method_get_statistics(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        g_auto(GStrv) names = call_read_flags(message, 0, &flags, &refused) ? read_names(message, &refused) : NULL;
        Call *call = names ? call_new(services->calls, message, &refused) : NULL;
        if (!call)
                return call_refuse(error, refused);

        Reading *reading = g_new0(Reading, 1);
        *reading = (Reading) {
                        .services = services,
                        .call = call,
                        .root = root_ref(services->state->root),
                        .names = g_steal_pointer(&names),
        };
        call_admit(call, reading_begin, reading_drop, reading);
        return 1;
}
