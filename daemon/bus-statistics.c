/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method GetStatistics: which machines are meant, and the answer. Where counters are read is not known here. */

#include <errno.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "describe-reply.h"
#include "error.h"
#include "object.h"
#include "statistics.h"

typedef struct Reading {
        Call *call;
        Root *root;
        GStrv names;
        GPtrArray *vms;
        GError *error;
} Reading;

static void reading_free(Reading *reading) {
        root_unref(reading->root);
        g_strfreev(reading->names);
        g_clear_pointer(&reading->vms, g_ptr_array_unref);
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

        reading->vms = statistics_read(reading->root, (const char *const *) reading->names, &reading->error);
}

/* A machine is called as its folder is. This is the one place where it could be given another name, the UUID of a guest, and @names are where
 * such a name has to be understood. */
static void reading_done(gpointer data, gpointer userdata) {
        Reading *reading = data;

        if (reading->vms)
                call_reply(reading->call, describe_statistics(reading->vms));
        else
                call_fail(reading->call, reading->error);
        reading_free(reading);
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
                g_ptr_array_add(names, g_strdup(name));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0) {
                g_set_error(error, CONDITION, CONDITION_INVALID_ARGS, "The call can't be read: %s", strerror(-r));
                return NULL;
        }
        g_ptr_array_add(names, NULL);
        return (GStrv) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

int bus_method_get_statistics(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Daemon *daemon = ((Object *) userdata)->daemon;
        g_autoptr(GError) refused = NULL;
        uint64_t flags;

        g_auto(GStrv) names = bus_read_flags(message, 0, &flags, &refused) ? read_names(message, &refused) : NULL;
        Call *call = names ? call_new(daemon, message, &refused) : NULL;
        if (!call)
                return bus_error(error, refused);

        Reading *reading = g_new0(Reading, 1);
        *reading = (Reading) {.call = call, .root = root_ref(daemon->root), .names = g_steal_pointer(&names)};
        worker_submit(daemon->reads, reading_run, reading_done, reading_drop, reading, NULL);
        return 1;
}
