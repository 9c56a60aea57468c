/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method GetStatistics: which machines are meant, whom to ask, and the answer. It reads nothing
 * itself.
 *
 * debugfs comes first: it is one read for each counter, has all machines and every counter, and
 * answers whatever libvirt does. libvirt is asked, off the loop as for all of its answers, for what
 * debugfs lacks of a guest. */

#include <errno.h>
#include <string.h>

#include "bound.h"
#include "describe-reply.h"
#include "error.h"
#include "methods.h"
#include "services.h"
#include "statistics.h"
#include "variant.h"

/* Longer than any UUID and any PID-FD. */
#define NAME_MAX_LENGTH 64U

/* Of counters and what else a machine has, in one piece of the answer. */
#define PIECE_COUNTERS 500U

typedef struct Reading {
        Services *services;
        Call *call;
        bool all; /* it may see others' */
        Root *root;
        GStrv names;
        GHashTable *guests; /* UUIDs of those that run */
        Statistics *statistics;
        GHashTable *counters; /* of libvirt's, and why there are none */
        GError *problem;
        GError *error;
        /* the answer, as far as it is made */
        sd_bus_message *reply;
        BoundRows rows;
        guint32 others;
} Reading;

/* Not the call, which is always somebody's. */
static void reading_free(gpointer data) {
        Reading *reading = data;

        root_unref(reading->root);
        g_strfreev(reading->names);
        g_clear_pointer(&reading->guests, g_hash_table_unref);
        statistics_free(reading->statistics);
        g_clear_pointer(&reading->counters, g_hash_table_unref);
        g_clear_error(&reading->problem);
        g_clear_error(&reading->error);
        sd_bus_message_unref(reading->reply);
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

static int append_entry(Reading *reading, GVariant *described) {
        g_autoptr(GVariant) one = bound_reply(described), entry = g_variant_get_child_value(one, 0);

        return bound_rows_take(&reading->rows, bound_size(entry), BOUND_ROWS) ? variant_append_body(reading->reply, one)
                                                                              : 0;
}

/* Machines in the order of their names, until it is enough; they are gone then. */
static int append_piece(Reading *reading) {
        GPtrArray *vms = reading->statistics->vms;
        int r = 0;

        for (unsigned n = 0; r >= 0 && n < PIECE_COUNTERS && vms->len > 0;) {
                g_autoptr(VmStatistics) vm = g_ptr_array_steal_index(vms, 0);
                n += 1 + vm->counters->len + vm->withheld->len;
                if (reading->all || (vm->has_uid && vm->uid == call_uid(reading->call)))
                        r = append_entry(reading, describe_machine(vm));
                else
                        reading->others++;
        }
        return r;
}

static int reading_begin_reply(Reading *reading) {
        int r = sd_bus_message_new_method_return(reading->call->message, &reading->reply);

        return r < 0 ? r : sd_bus_message_open_container(reading->reply, SD_BUS_TYPE_ARRAY, "{sa{sv}}");
}

static int reading_end_reply(const Reading *reading) {
        const guint32 left_out = reading->others + reading->rows.omitted;
        int r = 0;

        if (left_out > 0) {
                g_autoptr(GVariant) rest = g_variant_ref_sink(describe_named(BOUND_OTHERS, bound_omitted(left_out)));
                r = variant_append_body(reading->reply, rest);
        }
        return r < 0 ? r : sd_bus_message_close_container(reading->reply);
}

static bool reading_next(gpointer data) {
        Reading *reading = data;
        int r = reading->reply ? 0 : reading_begin_reply(reading);

        if (r >= 0)
                r = append_piece(reading);
        if (r >= 0 && reading->statistics->vms->len > 0)
                return false;
        if (r >= 0)
                r = reading_end_reply(reading);
        call_send(reading->call, g_steal_pointer(&reading->reply), r);
        reading_free(reading);
        return true;
}

static void reading_answer(Reading *reading) {
        if (reading->statistics && !reading->error) {
                pieces_add(reading->services->pieces, reading_next, reading_drop, reading);
                return;
        }
        call_fail(reading->call, reading->error);
        reading_free(reading);
}

static void reading_complete(gpointer data) {
        Reading *reading = data;

        (void) statistics_complete(reading->statistics, reading->counters, reading->problem, &reading->error);
        g_clear_pointer(&reading->counters, g_hash_table_unref);
}

static void reading_completed(gpointer data, gpointer userdata) {
        reading_answer(data);
}

/* There may be a thousand guests that lack all of their counters. */
static void on_counted(Call *call, GuestFound *found, const GError *error, gpointer userdata) {
        Reading *reading = userdata;

        reading->call = call;
        reading->counters = g_steal_pointer(&found->counters);
        reading->problem = error ? g_error_copy(error) : NULL;
        worker_submit_for(reading->services->readings->worker, call_uid(call), reading_complete, reading_completed,
                          reading_drop, reading, NULL);
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
