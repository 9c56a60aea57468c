/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The method Probe: who may, when, and what the program has left. The probe itself is a program of
 * its own, as it opens /dev/kvm; it runs in a turn, since it pins the modules. */

#include <errno.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "methods.h"
#include "probe-result.h"
#include "services.h"

/* Above the unit's own. */
#define TIMEOUT_SEC 150U

typedef struct Probe {
        Services *services;
        Call *call;
        Caller caller; /* known from the authorisation on */
        bool times;
} Probe;

static void probe_free(Probe *probe) {
        caller_clear(&probe->caller);
        g_free(probe);
}

static void probe_drop(gpointer data) {
        Probe *probe = data;

        call_drop(probe->call);
        probe_free(probe);
}

static void probe_fail(Probe *probe, const GError *error) {
        call_fail(probe->call, error);
        probe_free(probe);
}

static void on_done(int status, const char *detail, gpointer data) {
        Probe *probe = data;
        Services *services = probe->services;
        g_autoptr(GError) error = NULL;

        /* The signal first: who has the reply has seen it. */
        host_state_refresh(services->state);
        GVariant *result = services->state->host->probe;
        if (status < 0)
                g_set_error(&error, CONDITION, status == -ETIMEDOUT ? CONDITION_TIMED_OUT : CONDITION_INTERNAL,
                            "The probe gave no result: %s", detail ?: strerror(-status));
        else if (g_variant_n_children(result) == 0)
                g_set_error(&error, CONDITION, CONDITION_INTERNAL,
                            "The probe gave no result: nestvirt-probe ended with %d; what it said is in the journal",
                            status);
        if (error)
                probe_fail(probe, error);
        else {
                call_reply(probe->call, g_variant_new("(@a{sv})", result));
                probe_free(probe);
        }
        operation_queue_end(services->queue);
}

static void run(Probe *probe) {
        Services *services = probe->services;
        const char *measure = probe->times ? "times" : "counts";
        g_autofree char *unit = g_strdup_printf("nestvirt-probe@%s.service", measure);
        g_autofree char *node = root_device_path(services->state->root, "kvm"),
                        *device = g_strdup_printf("--device=%s", node);
        g_autofree char *output = root_absolute(services->state->root, PROBE_RESULT_PATH);
        g_autofree char *what = g_strdup_printf("--measure=%s", measure);
        const char *const argv[] = {"nestvirt-probe", "--variant", what, device, NULL};
        const HelperTask task = {.unit = unit, .argv = argv, .output = output, .timeout_sec = TIMEOUT_SEC};

        helper_run(services->prober, &task, on_done, probe);
}

/* What the last run has left is not to be taken for this one's. */
static bool probe_execute(gpointer data) {
        Probe *probe = data;
        g_autoptr(GError) error = NULL;

        if (caller_is_gone(&probe->caller)) {
                probe_drop(probe);
                return false;
        }
        if (!file_write(probe->services->state->root, PROBE_RESULT_PATH, "", &error)) {
                probe_fail(probe, error);
                return false;
        }
        run(probe);
        return true;
}

static void on_verdict(Verdict verdict, const Caller *caller, const GError *error, void *userdata) {
        Probe *probe = userdata;

        if (verdict == VERDICT_YES) {
                probe->caller = caller_copy(caller);
                call_ask_turn(probe->call, probe->services->queue, probe_execute, probe_drop, probe);
        } else if (verdict == VERDICT_NO)
                probe_fail(probe, error);
        else
                probe_drop(probe);
}

static void probe_authorise(gpointer data) {
        Probe *probe = data;

        authority_ask(probe->services->authority, probe->call->message, NULL, on_verdict, probe);
}

static bool read_options(sd_bus_message *message, bool *times, GError **error) {
        const char *name;
        unsigned n = 0;
        int value, r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
                if (r >= 0 && !g_str_equal(name, "Times")) {
                        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS,
                                            "The only option of Probe is Times");
                        return false;
                }
                if (++n > 1) {
                        g_set_error_literal(error, CONDITION, CONDITION_INVALID_ARGS, "Times is given twice");
                        return false;
                }
                if (r >= 0)
                        r = sd_bus_message_read(message, "v", "b", &value);
                if (r >= 0) {
                        *times = value;
                        r = sd_bus_message_exit_container(message);
                }
        }
        return r >= 0 || call_unreadable(r, error);
}

int method_probe(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Services *services = object_services(userdata);
        g_autoptr(GError) refused = NULL;
        bool times = false;
        uint64_t flags;

        if (!call_read_flags(message, 0, &flags, &refused) || !read_options(message, &times, &refused))
                return call_refuse(error, refused);
        if (services->state->loader->inert) {
                g_set_error_literal(&refused, CONDITION, CONDITION_UNSUPPORTED,
                                    "This is a tree of files, not the running machine: no guest can run there");
                return call_refuse(error, refused);
        }
        Call *call = call_new(services->calls, message, &refused);
        if (!call)
                return call_refuse(error, refused);

        Probe *probe = g_new0(Probe, 1);
        *probe = (Probe) {.services = services, .call = call, .times = times};
        call_admit(call, probe_authorise, probe_drop, probe);
        return 1;
}
